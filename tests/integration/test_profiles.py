"""What the catalogue says of delivered tables: which values are there, and when events happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hdh_assets.catalog.entry import TableEntry
from hdh_assets.catalog.measure import measure
from tests.integration.intake_world import World, column, dataset, text


def table(event_date: str | None, *columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "EVENTS",
        "title": text("Events"),
        "description": text("One row per event"),
        "event_date": event_date,
        "columns": list(columns),
    }


def measured(root: Path, content: str, described: dict[str, Any]) -> TableEntry:
    """What is measured of a delivery of one file."""
    world = World.create(root, dataset(tables=[described]))
    world.drop({"EVENTS.csv": content})
    assert [receipt.status for receipt in world.tick()] == ["accepted"]
    with world.lake().writer() as engine:
        return measure(engine, world.datasets["care"]).tables["events"]


def test_what_means_missing_is_no_value_and_no_event(tmp_path: Path) -> None:
    described = table(
        "DAY",
        column("DAY", "date", sentinels=["01/01/1600"]),
        column("WEIGHT", "decimal(4,1)", sentinels=["999,9", "?"]),
        column("MONTH", "yearmonth", sentinels=["160001"]),
        column("PLACE", "string(5)", sentinels=["00000"]),
    )
    rows = ["01/01/1600;999,9;202401;00000", "05/01/2024;60,5;160001;75056", ";61;202402;", "07/01/2024;?;;00000"]
    entry = measured(tmp_path, "\n".join(["DAY;WEIGHT;MONTH;PLACE", *rows, ""]), described)
    assert (entry.first_event, entry.last_event) == ("2024-01-05", "2024-01-07")
    assert entry.completeness == {"day": 0.5, "weight": 0.5, "month": 0.5, "place": 0.25}


@pytest.mark.parametrize(("filled", "told"), [(0, 0.0), (1, None), (10, None), (11, 0.5), (12, None), (22, 1.0)])
def test_what_few_persons_have_is_not_told(tmp_path: Path, filled: int, told: float | None) -> None:
    key = column("ID", "string(36)", nullable=False, role="person_key", identifier_type="person")
    described = table(None, key, column("DIED", "date"))
    rows = [f"p{n};{'05/01/2024' if n < filled else ''}" for n in range(22)]
    assert measured(tmp_path, "\n".join(["ID;DIED", *rows, ""]), described).completeness.get("died") == told


@pytest.mark.parametrize(
    ("kind", "values", "first", "last"),
    [
        ("year", ["1998", "2003", "0000"], "1998-01-01", "2003-01-01"),
        ("yearmonth", ["202311", "202402", "160001"], "2023-11-01", "2024-02-01"),
        ("timestamp", ["05/01/2024 23:59", "01/02/2024 00:00", "01/01/1600 00:00"], "2024-01-05", "2024-02-01"),
    ],
)
def test_events_have_a_first_and_a_last_day(
    tmp_path: Path, kind: str, values: list[str], first: str, last: str
) -> None:
    form = {"format": "%d/%m/%Y %H:%M"} if kind == "timestamp" else {}
    described = table("AT", column("AT", kind, sentinels=values[-1:], **form))
    entry = measured(tmp_path, "\n".join(["AT", *values, ""]), described)
    assert (entry.first_event, entry.last_event) == (first, last)
