"""Searching a home for planted identities: in clear, in the usual encodings, merely hashed, and inside formats."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
import shutil
import sqlite3
import tempfile
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from hdh_assets.core.home import Home, Settings
from resources.lake import open_lake

HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b")
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp1252")


def assert_no_identity(home: Home, values: Iterable[str]) -> None:
    """No planted identity under the home, outside the vault, the quarantine and the inbox it came by."""
    needles = [needle for value in values for needle in forms(value)]
    spared = (home.vault, home.quarantine, home.inbox)
    for path in home.root.rglob("*"):
        if not any(folder == path or folder in path.parents for folder in spared):
            contents = [str(path.relative_to(home.root)).encode("utf-8", "surrogateescape")]
            contents += decoded(path) if path.is_file() else []
            for content in contents:
                assert not [needle for needle in needles if needle in content], path
    for content in _rows_of_the_lake(home):
        assert not [needle for needle in needles if needle in content]


@cache
def forms(value: str) -> frozenset[bytes]:
    """What the value may look like in a file."""
    found: set[bytes] = set()
    for text in _spellings(value):
        found |= {json.dumps(text)[1:-1].encode(), urllib.parse.quote(text).encode(), ascii(text)[1:-1].encode()}
        for encoding in ENCODINGS:
            clear = text.encode(encoding, "ignore")
            found |= {clear, clear[::-1], clear.hex().encode(), clear.hex().upper().encode(), *_base64(clear)}
        for algorithm in HASHES:
            digest = hashlib.new(algorithm, text.encode()).digest()
            found |= {digest, digest.hex().encode(), digest.hex().upper().encode()}
            found |= {base64.b64encode(digest).rstrip(b"="), base64.urlsafe_b64encode(digest).rstrip(b"=")}
    if value.isdigit():
        found |= {int(value).to_bytes(8, order) for order in ("little", "big")}
    return frozenset(needle for needle in found if len(needle) >= 6)


def decoded(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and what they hold when they are a known format."""
    content = path.read_bytes()
    yield content
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    elif content[:4] == b"PAR1":
        yield _text(parquet.read_table(pa.BufferReader(content)))
    elif content[:15] == b"SQLite format 3":
        yield from _rows_of_sqlite(path)


def _spellings(value: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    spellings = {value, value.lower(), value.upper(), plain, plain.lower(), plain.upper()}
    spellings |= {unicodedata.normalize("NFD", value), value.replace(" ", ""), value.replace(" ", "_")}
    if value.isdigit() and len(value) == 15:
        cuts = (0, 1, 3, 5, 7, 10, 13, 15)
        spellings |= {value[:13], " ".join(value[a:b] for a, b in itertools.pairwise(cuts))}
    return spellings


def _base64(clear: bytes) -> set[bytes]:
    """The part of its base64 that does not depend on its neighbours, at each of the three places it may begin."""
    found = set()
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + clear)
        found.add(whole[4 if shift else 0 : len(whole) // 4 * 4 - 4])
    return found | {part.replace(b"+", b"-").replace(b"/", b"_") for part in found}


def _text(table: pa.Table) -> bytes:
    return "\n".join(str(value) for column in table.columns for value in column.to_pylist()).encode()


def _rows_of_sqlite(path: Path) -> Iterator[bytes]:
    """Of a copy: opening it would undo what a killed writer left, which is for the hub to do."""
    folder = tempfile.TemporaryDirectory()
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, folder.name)
    connection = sqlite3.connect(Path(folder.name) / path.name)
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in tables:
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                yield b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
    finally:
        connection.close()
        folder.cleanup()


def _rows_of_the_lake(home: Home) -> Iterator[bytes]:
    """Every table as the engine reads it: encrypted files cannot be read otherwise."""
    if not (home.lake / "catalog.sqlite").exists():
        return
    with open_lake(home, Settings.load(home)).reader() as engine:
        tables = engine.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'lake'"
        ).fetchall()
        for schema, name in tables:
            yield _text(engine.execute(f'FROM lake."{schema}"."{name}"').to_arrow_table())
