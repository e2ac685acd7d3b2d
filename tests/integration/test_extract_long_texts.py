"""Tables of long texts leave the lake in smaller batches: a hundred thousand documents do not fit into memory."""

from __future__ import annotations

import pytest

from hdh_assets.core.home import Home, Settings
from hdh_assets.core.keys import LakeTable
from hdh_assets.extracts.plan import ColumnPlan, TablePlan
from hdh_assets.extracts.replacing import ROWS_AT_ONCE, rows_at_once
from hdh_assets.extracts.treatments import Treatment
from resources.lake import open_lake
from tests.integration.intake_world import column, dataset, text

NOTES = {
    "name": "NOTE",
    "title": text("Notes"),
    "description": text("One row per document"),
    "columns": [
        column("PERSON", "string(36)", nullable=False, role="person_key", identifier_type="person"),
        column("WARD", "string(9)"),
        column("NOTE", "string"),
        column("SUMMARY", "string(2000000)"),
        column("REMARK", "string", optional=True),
    ],
}


def plan(schema: str, *names: str) -> TablePlan:
    columns = tuple(ColumnPlan(name, "VARCHAR", Treatment.kept) for name in names)
    return TablePlan(LakeTable(schema, "note"), columns)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("SELECT 'a' AS person, 'b' AS ward, repeat('é', 10000) AS note, NULL AS summary FROM range(3)", 3355),
        ("SELECT 'a', 'b', if(range = 0, repeat('n', 16 << 20), NULL), repeat('s', 1 << 20) FROM range(4)", 12),
        ("SELECT 'a', 'b', repeat('n', 100 << 20), NULL", 1),
        ("SELECT 'a', repeat('w', 100000), 'short', NULL FROM range(3)", ROWS_AT_ONCE),
        ("SELECT 'a', 'b', NULL, NULL FROM range(3)", ROWS_AT_ONCE),
        ("SELECT 'a', 'b', 'c', 'd' FROM range(0)", ROWS_AT_ONCE),
    ],
)
def test_rows_held_together_are_fewer_where_texts_are_long(
    home: Home, settings: Settings, rows: str, expected: int
) -> None:
    """Those of the columns that are delivered: the lake of an older release has no remarks."""
    described = {"care": dataset(tables=[NOTES])}
    with open_lake(home, settings).writer() as engine:
        engine.execute("CREATE SCHEMA lake.care")
        engine.execute("CREATE TABLE lake.care.note (person VARCHAR, ward VARCHAR, note VARCHAR, summary VARCHAR)")
        engine.execute(f"INSERT INTO lake.care.note {rows}")
        assert rows_at_once(engine, plan("care", "person", "ward", "note", "summary"), described) == expected
        assert rows_at_once(engine, plan("care", "person", "ward"), described) == ROWS_AT_ONCE
        assert rows_at_once(engine, plan("omop", "note_text"), described) == ROWS_AT_ONCE
