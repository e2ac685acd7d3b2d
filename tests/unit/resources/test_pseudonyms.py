"""Pseudonyms are those of Python's hmac, in the engine too, and keys are checked before use."""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
from uuid import UUID

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.core.errors import KeyMaterialError
from resources import pseudonyms
from resources.pseudonyms import Pseudonymiser, RunPseudonyms, known_pseudonyms

K1, K2 = os.urandom(32), os.urandom(32)
PSEUDONYMISER = Pseudonymiser(K1, K2)


def expected(identifier: str, kind: str) -> str:
    first = hmac.new(K1.hex().encode(), f"FR-HDH|v1|{kind}|{identifier}".encode(), hashlib.sha256).hexdigest()
    return hmac.new(K2.hex().encode(), first.encode(), hashlib.sha256).hexdigest()[:32]


@given(st.lists(st.none() | st.text(), max_size=20))
def test_same_as_python(identifiers: list[str | None]) -> None:
    found = PSEUDONYMISER.pseudonymise(pl.Series(identifiers, dtype=pl.String), "nir").to_list()
    assert found == [None if text is None else expected(text, "nir") for text in identifiers]


def test_the_engine_gives_the_same_and_shows_no_key() -> None:
    engine = duckdb.connect()
    RunPseudonyms(PSEUDONYMISER).register(engine, "make", {"a": "nir", "b": "psa"})
    engine.execute(
        "CREATE TABLE t AS SELECT 'p' || (i % 700) AS a, CASE WHEN i % 3 > 0 THEN 'x' END AS b FROM range(9000) r(i)"
    )
    rows = engine.execute("SELECT a, b, make(struct_pack(a := a, b := b)) AS made FROM t").fetchall()
    for a, b, made in rows:
        assert made["a"] == UUID(expected(a, "nir"))
        assert made["b"] == (UUID(expected(b, "psa")) if b else None)
    plan = str(engine.execute("EXPLAIN ANALYZE SELECT make(struct_pack(a := a, b := b)) FROM t").fetchall())
    assert K1.hex() not in plan
    assert K1.hex() not in repr(PSEUDONYMISER)


def test_threads_that_forget_at_once_still_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonyms, "_REMEMBERED", 3000)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    engine = duckdb.connect(config={"threads": 4})
    RunPseudonyms(PSEUDONYMISER).register(engine, "make", {"a": "nir"})
    engine.execute("CREATE TABLE t AS SELECT 'p' || (hash(i) % 9000) AS a FROM range(600_000) r(i)")
    try:
        made = engine.execute("SELECT count(DISTINCT a), count(DISTINCT make(struct_pack(a := a))) FROM t").fetchall()
    finally:
        sys.setswitchinterval(usual)
    assert made == [(9000, 9000)]


def test_what_a_run_remembers_is_what_it_made() -> None:
    engine = duckdb.connect()
    made = RunPseudonyms(PSEUDONYMISER)
    made.register(engine, "make", {"a": "nir"})
    made.offer(engine)
    known = f"SELECT _identifier, _pseudonym FROM {known_pseudonyms('nir')} ORDER BY 1"
    assert engine.execute(known).fetchall() == []
    engine.execute("SELECT make(struct_pack(a := a)) FROM (VALUES ('y'), ('x'), (NULL), ('x')) t(a)").fetchall()
    made.offer(engine)
    assert engine.execute(known).fetchall() == [(a, UUID(expected(a, "nir"))) for a in ("x", "y")]


def test_types_have_separate_pseudonyms() -> None:
    one = pl.Series(["1"])
    assert PSEUDONYMISER.pseudonymise(one, "nir").to_list() != PSEUDONYMISER.pseudonymise(one, "psa").to_list()


@pytest.mark.parametrize("keys", [(b"", K2), (K1, b""), (K1[:31], K2), (K1, K1)])
def test_weak_keys_are_refused(keys: tuple[bytes, bytes]) -> None:
    with pytest.raises(KeyMaterialError):
        Pseudonymiser(*keys)
