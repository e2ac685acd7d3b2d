"""Project pseudonyms and record numbers: the documented construction, null for null, nothing shared by two projects."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from pathlib import Path

import duckdb
import polars as pl
import pytest

from hdh_assets.core.errors import KeyMaterialError
from hdh_assets.core.person_number import person_number
from hdh_assets.extracts.project_keys import ProjectKeys
from resources.keys import FileKeys, Purpose, derive_key

MACRO = Path(__file__).resolve().parents[3] / "dbt_project" / "macros" / "hub_id.sql"


@pytest.fixture
def provider(tmp_path: Path) -> FileKeys:
    keys = FileKeys(tmp_path / "keys")
    keys.create_missing((Purpose.project,))
    return keys


def replaced(keys: ProjectKeys, values: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as engine:
        keys.create_function(engine, "f", 2, 1)
        return engine.execute(
            f"SELECT k.k0, k.k1, k.k2::UUID FROM (SELECT f(a, b, c::BLOB) AS k FROM (VALUES {values}) AS t(a, b, c))"
        ).fetchall()


def test_a_pseudonym_is_the_documented_hmac(provider: FileKeys) -> None:
    found = ProjectKeys(provider, "pilot").pseudonyms(pl.Series([1, 2**63 - 1, 42]))
    key = derive_key(provider.get(Purpose.project), "project/pilot/v1").hex().encode()
    for hub, number, pseudonym in found.rows():
        digest = hmac.new(key, str(hub).encode(), hashlib.sha256).digest()
        assert uuid.UUID(pseudonym) == uuid.UUID(bytes=digest[:16])
        assert number == int.from_bytes(digest[:8], "big") >> 1


def test_records_are_replaced_alike_in_every_column_and_null_stays_null(provider: FileKeys) -> None:
    one = "'00000000-0000-0000-0000-000000000001'::UUID"
    rows = replaced(ProjectKeys(provider, "pilot"), f"(7::BIGINT, 8::BIGINT, {one}), (8, NULL, NULL), (NULL, 7, {one})")
    assert rows[0][0] == rows[2][1]
    assert rows[0][1] == rows[1][0]
    assert rows[0][2] == rows[2][2]
    assert (rows[1][1], rows[1][2], rows[2][0]) == (None, None, None)
    assert all(isinstance(row[0], int) and row[0] >= 0 for row in rows if row[0] is not None)


def test_many_rows_keep_their_order_and_never_collide(provider: FileKeys) -> None:
    keys = ProjectKeys(provider, "pilot")
    with duckdb.connect() as engine:
        keys.create_function(engine, "f", 1, 1)
        sql = "SELECT i, k.k0, k.k1 FROM (SELECT i, f(i, md5(i::VARCHAR)::UUID::BLOB) AS k FROM range(20000) AS t(i))"
        first, second = engine.execute(sql).fetchall(), engine.execute(f"{sql} WHERE i % 2 = 0").fetchall()
    assert len({row[1] for row in first}) == len({row[2] for row in first}) == 20000
    assert set(second) == {row for row in first if row[0] % 2 == 0}


def test_two_projects_share_nothing(provider: FileKeys) -> None:
    row = "(7::BIGINT, 8::BIGINT, '00000000-0000-0000-0000-000000000001'::UUID)"
    mine, theirs = (replaced(ProjectKeys(provider, project), row)[0] for project in ("pilot", "other"))
    assert not set(mine) & set(theirs)
    persons = pl.Series([1, 2, 3])
    first, second = (ProjectKeys(provider, project).pseudonyms(persons) for project in ("pilot", "other"))
    assert not set(first["number"]) & set(second["number"])
    assert not set(first["pseudonym"]) & set(second["pseudonym"])


def test_without_the_project_key_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(KeyMaterialError):
        ProjectKeys(FileKeys(tmp_path), "pilot")


def test_the_person_number_is_the_one_the_standardisation_makes() -> None:
    body = " ".join(MACRO.read_text("utf-8").split())
    assert "md5_number_lower('{{ parts[0] }}'" in body
    assert "|| '|' || coalesce(cast({{ part }} as varchar), '')" in body
    with duckdb.connect() as engine:
        pseudonym = "'00000000-0000-0000-0000-000000000001'::UUID"
        standard = (
            f"cast(md5_number_lower('person' || '|' || coalesce(cast({pseudonym} as varchar), '')) >> 1 as bigint)"
        )
        found = engine.execute(f"SELECT {person_number(pseudonym)} = {standard}").fetchall()
    assert found == [(True,)]
