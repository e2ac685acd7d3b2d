"""The search for planted identities finds them in every form: a search that cannot find proves nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from hdh_assets.core.home import Home
from tests.leaks import assert_no_identity

NIR, NAME = "185059912345671", "Ymperatrice Zéphyrine"

LEAKS = {
    "clear": NIR.encode(),
    "utf-16": NAME.encode("utf-16-be"),
    "hex": NIR.encode().hex().encode(),
    "base64 inside": base64.b64encode(b"xy" + NIR.encode() + b"z"),
    "url": b"name=Ymperatrice%20Z%C3%A9phyrine",
    "json": b'{"n": "Ymperatrice Z\\u00e9phyrine"}',
    "number": int(NIR).to_bytes(8, "little"),
    "sha256": hashlib.sha256(NAME.lower().encode()).hexdigest().encode(),
    "md5 raw": hashlib.md5(NIR.encode(), usedforsecurity=False).digest(),
    "sha512 base64": base64.b64encode(hashlib.sha512(b"YMPERATRICE ZEPHYRINE").digest()),
    "spaced": b"1 85 05 99 123 456 71",
    "gzip": gzip.compress(b"a" * 100 + NIR.encode() + b"b" * 100),
}


@pytest.mark.parametrize("kind", LEAKS)
def test_a_leak_is_found(tmp_path: Path, kind: str) -> None:
    (tmp_path / "log").write_bytes(b"before " + LEAKS[kind] if kind != "gzip" else LEAKS[kind])
    with pytest.raises(AssertionError):
        assert_no_identity(Home(tmp_path), (NIR, NAME))


def test_a_leak_in_compressed_pages_a_database_or_a_name_is_found(tmp_path: Path) -> None:
    for number in range(3):
        root = tmp_path / str(number)
        root.mkdir()
        if number == 0:
            names = pa.table({"n": [f"{'x' * 50}{NAME}", "y"]})
            parquet.write_table(names, root / "p.parquet", compression="zstd", write_statistics=False)
        elif number == 1:
            connection = sqlite3.connect(root / "d.sqlite")
            connection.execute("CREATE TABLE t (v TEXT)")
            connection.execute("INSERT INTO t VALUES (?)", ["z" * 9000 + NIR])
            connection.commit()
            connection.close()
        else:
            (root / f"of {NAME}").touch()
        with pytest.raises(AssertionError):
            assert_no_identity(Home(root), (NIR, NAME))


def test_the_vault_is_spared_and_innocence_passes(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "f").write_text(NIR)
    (tmp_path / "log").write_text("nothing to see")
    assert_no_identity(Home(tmp_path), (NIR, NAME))
