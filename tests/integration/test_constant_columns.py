"""Columns of one value, as a real lake's bounds tell them, against what its rows say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from hdh_assets.core.home import Home, Settings
from hdh_assets.core.keys import LakeTable
from hdh_assets.extracts.constants import constant_columns
from resources.lake import Lake, open_lake
from resources.maintenance import KEPT, maintain
from resources.releases import make_release

SAMPLE = LakeTable("sample", "visit")
ROWS = (
    "SELECT i::BIGINT AS id, 32817::INTEGER AS type, NULL::VARCHAR AS text, NULL::BIGINT AS parent, 'mg' AS unit, "
    "1.0::DOUBLE AS number, if(i % 2 = 0, 7, NULL)::INTEGER AS sometimes FROM range({first}, {first} + 100) AS t(i)"
)


@pytest.fixture
def lake(home: Home, settings: Settings) -> Lake:
    made = open_lake(home, settings)
    with made.writer() as engine:
        engine.execute(f"CREATE SCHEMA lake.sample; CREATE TABLE lake.sample.visit AS {ROWS.format(first=0)}")
        engine.execute(f"INSERT INTO lake.sample.visit {ROWS.format(first=100)}")
    return made


def _found(lake: Lake, snapshot: int | None = None) -> dict[str, int | None]:
    """What the bounds say, after a look at every row that it is true."""
    with lake.reader(snapshot=snapshot) as engine:
        found = constant_columns(engine, SAMPLE)
        for column, value in found.items():
            assert _values(engine, column) == [(value,)], column
    return found


def _values(engine: duckdb.DuckDBPyConnection, column: str) -> list[tuple[object, ...]]:
    return engine.execute(f"SELECT DISTINCT {column} FROM {SAMPLE.sql}").fetchall()


def test_empty_columns_and_equal_whole_numbers_are_told(lake: Lake) -> None:
    assert _found(lake) == {"type": 32817, "text": None, "parent": None}


def test_a_row_that_differs_takes_its_column_out_from_that_snapshot_on(lake: Lake) -> None:
    release = make_release(lake, checks={"passed": 1, "failed": 0})
    with lake.writer() as engine:
        engine.execute("INSERT INTO lake.sample.visit (id, type, text) VALUES (1000, 1, 'x')")
    assert _found(lake) == {"parent": None}
    maintain(lake, now=datetime.now(UTC) + KEPT + timedelta(days=1))
    assert _found(lake) == {"parent": None}
    assert set(_found(lake, release.snapshot_id)) <= {"type", "text", "parent"}


def test_a_column_that_older_files_lack_is_left_out(lake: Lake) -> None:
    with lake.writer() as engine:
        engine.execute("ALTER TABLE lake.sample.visit ADD COLUMN late INTEGER")
        engine.execute("INSERT INTO lake.sample.visit (id, type, late) VALUES (1000, 32817, 5)")
    assert _found(lake) == {"type": 32817, "text": None, "parent": None}


def test_a_table_made_anew_is_judged_by_its_own_rows(lake: Lake) -> None:
    with lake.writer() as engine:
        engine.execute(
            "CREATE OR REPLACE TABLE lake.sample.visit AS SELECT 1::BIGINT AS id, 5::INTEGER AS type, 'a' AS text"
        )
    assert _found(lake) == {"id": 1, "type": 5}
