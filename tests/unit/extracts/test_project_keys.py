"""Project pseudonyms and record numbers: the documented construction, null for null, nothing shared by two projects."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
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


def replaced(keys: ProjectKeys, numbers: list[list[int | None]], blocks: list[bytes | None]) -> list[list[object]]:
    arrays = [keys.number(pa.array(column, pa.int64())) for column in numbers]
    return [array.to_pylist() for array in (*arrays, keys.blob(pa.array(blocks, pa.binary())))]


def test_a_pseudonym_is_the_documented_hmac(provider: FileKeys) -> None:
    found = ProjectKeys(provider, "pilot").pseudonyms(pl.Series([1, 2**63 - 1, 42]))
    key = derive_key(provider.get(Purpose.project), "project/pilot/v1").hex().encode()
    for hub, number, pseudonym in found.rows():
        digest = hmac.new(key, str(hub).encode(), hashlib.sha256).digest()
        assert uuid.UUID(pseudonym) == uuid.UUID(bytes=digest[:16])
        assert number == int.from_bytes(digest[:8], "big") >> 1


def test_records_are_replaced_alike_in_every_column_and_null_stays_null(provider: FileKeys) -> None:
    one = uuid.UUID(int=1).bytes
    first, second, blocks = replaced(ProjectKeys(provider, "pilot"), [[7, 8, None], [8, None, 7]], [one, None, one])
    assert first[0] == second[2]
    assert first[1] == second[0]
    assert blocks[0] == blocks[2] != one
    assert (first[2], second[1], blocks[1]) == (None, None, None)
    assert all(isinstance(number, int) and number >= 0 for number in first[:2])


def test_a_part_of_the_rows_is_replaced_as_in_the_whole(provider: FileKeys) -> None:
    keys = ProjectKeys(provider, "pilot")
    numbers = pa.array([None if n % 7 == 0 else n for n in range(20000)], pa.int64())
    blocks = pa.array([None if n % 5 == 0 else hashlib.md5(b"%d" % n).digest() for n in range(20000)], pa.binary())
    whole = [keys.number(numbers).to_pylist(), keys.blob(blocks).to_pylist()]
    part = [keys.number(numbers.slice(333, 4000)).to_pylist(), keys.blob(blocks.slice(333, 4000)).to_pylist()]
    assert part == [column[333:4333] for column in whole]
    assert [len(set(column)) for column in whole] == [20000 - 2858 + 1, 16000 + 1]


def test_numbers_given_before_stay_when_others_are_asked_for(provider: FileKeys) -> None:
    keys = ProjectKeys(provider, "pilot")
    first = keys.number(pa.array([1, 2, 3], pa.int64()))
    kept = first.to_pylist()
    keys.number(pa.array(range(5000), pa.int64()))
    keys.number(pa.array([9], pa.int64()))
    assert first.to_pylist() == kept
    assert keys.number(pa.array([], pa.int64())).to_pylist() == []


def test_two_projects_share_nothing(provider: FileKeys) -> None:
    mine, theirs = (
        replaced(ProjectKeys(provider, project), [[7, 8], [9, 10]], [uuid.UUID(int=n).bytes for n in (1, 2)])
        for project in ("pilot", "other")
    )
    assert not {value for column in mine for value in column} & {value for column in theirs for value in column}
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
