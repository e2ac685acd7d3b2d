"""Whose a row is where several columns may say it: the first filled one's, for all that reads delivered tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import duckdb
import pytest

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.keys import LakeTable
from hdh_assets.core.person_number import person_number
from hdh_assets.extracts.opposed import _cannot_tell
from hdh_assets.extracts.persons import _person_sources
from hdh_assets.extracts.plan import ColumnPlan, TablePlan
from hdh_assets.extracts.row_trace import _keep_pseudonyms
from hdh_assets.extracts.selection import rows_of, select_table
from hdh_assets.extracts.treatments import Treatment
from hdh_assets.governance.dossier import Period
from tests.integration.intake_world import column, dataset, text

MINE, MY_NIR, OTHER = (UUID(int=number) for number in (1, 2, 3))
STAYS = {
    "by number": (MINE, None),
    "by NIR": (None, MY_NIR),
    "with another": (MINE, OTHER),
    "of another": (OTHER, MY_NIR),
    "of nobody": (None, None),
}
ARE_MINE = ["by NIR", "by number", "with another"]


def care(**number: Any) -> Dataset:
    """Stays of persons known by the hospital's number, or else by their NIR, and their acts."""
    named = {"title": text("Care"), "description": text("Care"), "primary_key": ["NUM"]}
    num = column("NUM", "string(12)", nullable=False)
    keys = [
        column("AN", "string(9)", role="person_key", identifier_type="hospital") | number,
        column("NIR", "string(15)", role="person_key", identifier_type="nir"),
    ]
    follows = [{"columns": ["NUM"], "table": "STAYS"}]
    stays = {"name": "STAYS", "columns": [num, *keys]} | named
    return dataset(tables=[stays, {"name": "ACTS", "columns": [num], "foreign_keys": follows} | named])


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as engine:
        engine.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.care; CREATE SCHEMA lake.staging")
        engine.execute("CREATE TABLE lake.care.stays (_delivery INT, num VARCHAR, an UUID, nir UUID)")
        rows = [(num, *keys) for num, keys in STAYS.items()]
        engine.executemany("INSERT INTO lake.care.stays VALUES (1, ?, ?, ?)", rows)
        engine.execute("CREATE TABLE lake.care.acts AS SELECT _delivery, num FROM lake.care.stays")
        yield engine


def permit(engine: duckdb.DuckDBPyConnection) -> None:
    engine.execute("CREATE TABLE person_key (hub UUID, project UUID, is_allowed BOOLEAN)")
    engine.executemany(
        "INSERT INTO person_key VALUES (?, ?, ?)", [(m, m, m is not OTHER) for m in (MINE, MY_NIR, OTHER)]
    )


def test_a_row_is_delivered_to_whom_its_first_filled_key_designates(engine: duckdb.DuckDBPyConnection) -> None:
    """Half the rows were lost: those of whom the hospital knows no number."""
    permit(engine)
    keys = (ColumnPlan(name, "UUID", Treatment.person_key) for name in ("an", "nir"))
    plan = TablePlan(LakeTable("care", "stays"), (ColumnPlan("num", "VARCHAR", Treatment.kept), *keys))
    period = Period.model_validate({"from": "2024-01-01", "to": "2024-12-31"})
    joined = select_table(plan, period, {"care": care()}, (), {}).source
    found = engine.execute(f'SELECT num, "project an", "project nir" FROM ({joined}) ORDER BY num').fetchall()
    assert found == [("by NIR", None, MY_NIR), ("by number", MINE, None), ("with another", MINE, None)]


def test_rows_that_follow_them_go_with_them(engine: duckdb.DuckDBPyConnection) -> None:
    permit(engine)
    described = care()
    rows = rows_of(described, described.by_name["acts"], lambda _: "")
    assert engine.execute(f"SELECT t.num {rows} ORDER BY ALL").fetchall() == [(num,) for num in ARE_MINE]


def test_a_version_tells_whose_its_rows_are_when_it_has_every_key_that_may_decide() -> None:
    told = [("care.stays", "an", ""), ("care.stays", "nir", "")]
    for name in ("care.stays", "care.acts"):
        assert not _cannot_tell(name, told, {"care": care()})
        assert _cannot_tell(name, told[:1], {"care": care()})
        assert not _cannot_tell(name, told[:1], {"care": care(nullable=False)})
        assert _cannot_tell(name, told[:1], {"care": care(nullable=False, sentinels=["0"])})


def test_pseudonyms_of_every_key_that_may_decide_are_translated_and_traced(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    described, stays = care(), LakeTable("care", "stays")
    plan = TablePlan(LakeTable("care", "acts"), ())
    assert _person_sources({"care": described}, plan) == [(stays, "an"), (stays, "nir")]
    assert _person_sources({"care": care(nullable=False)}, plan) == [(stays, "an")]
    acts = [(described, described.by_name["acts"])]
    for hub in (MINE, MY_NIR):
        (person,) = engine.execute(f"SELECT {person_number('?::UUID')}", [hub]).fetchall()[0]
        _keep_pseudonyms(engine, person, acts)
        assert engine.execute("SELECT DISTINCT hub FROM memory.person_key").fetchall() == [(hub,)]
        engine.execute("DROP TABLE memory.person_key")
