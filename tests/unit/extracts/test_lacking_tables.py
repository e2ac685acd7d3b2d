"""Which extracts are to be made, and what they wait for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hdh_assets.extracts.due import lacking
from resources.releases import Release

ROWS = {"omop.person": 2, "omop.death": 0, "care.stays": 3, "care.letters": 0, "towns.town": 0}
RELEASE = Release(1, 7, datetime(2024, 1, 1, tzinfo=UTC), "c", {"rows": ROWS, "deliveries": {"care": []}}, {})


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (["omop.person", "omop.death", "care.stays"], []),
        (["care.letters"], []),
        (["towns.town", "care.stays"], ["towns.town"]),
        (["labs.result", "omop.note"], ["labs.result", "omop.note"]),
    ],
    ids=["delivered", "delivered, without rows", "there from the start, never delivered", "of no release yet"],
)
def test_an_extract_waits_for_tables_of_which_nothing_was_delivered(tables: list[str], expected: list[str]) -> None:
    """A table is there, and empty, as soon as its dataset is described: nobody asked for that."""
    assert lacking(tables, RELEASE) == expected
