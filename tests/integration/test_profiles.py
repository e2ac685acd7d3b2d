"""What the catalogue says of delivered tables: which values are there, and when events happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hdh_assets.catalog.due import read_state
from hdh_assets.catalog.entry import TableEntry, read_entries, write_entry
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


def measured(root: Path, content: str, described: dict[str, Any], sensitivity: str = "") -> TableEntry:
    """What is measured of a delivery of one file. Without persons it is about nobody, unless it is said otherwise."""
    is_about_nobody = not any(each.get("role") == "person_key" for each in described["columns"])
    said = sensitivity or ("open" if is_about_nobody else "nominative")
    world = World.create(root, dataset(tables=[described], sensitivity=said))
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
    assert (entry.first_event, entry.last_event) == ("2024-01", "2024-01")
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
        ("year", ["1998", "2003", "0000"], "1998-01", "2003-01"),
        ("yearmonth", ["202311", "202402", "160001"], "2023-11", "2024-02"),
        ("timestamp", ["05/01/2024 23:59", "01/02/2024 00:00", "01/01/1600 00:00"], "2024-01", "2024-02"),
    ],
)
def test_events_have_a_first_and_a_last_month(
    tmp_path: Path, kind: str, values: list[str], first: str, last: str
) -> None:
    form = {"format": "%d/%m/%Y %H:%M"} if kind == "timestamp" else {}
    described = table("AT", column("AT", kind, sentinels=values[-1:], **form))
    entry = measured(tmp_path, "\n".join(["AT", *values, ""]), described)
    assert (entry.first_event, entry.last_event) == (first, last)


def test_months_are_told_of_what_is_open_alone_where_nothing_says_how_many_persons_there_are(tmp_path: Path) -> None:
    described = table("DAY", column("DAY", "date"))
    entry = measured(tmp_path, "DAY\n05/01/2024\n", described, sensitivity="pseudonymised")
    assert (entry.first_event, entry.last_event) == (None, None)


def test_months_of_events_are_told_from_eleven_persons_on(tmp_path: Path) -> None:
    """Whatever the day of the month on which each has one."""
    key = column("ID", "string(36)", nullable=False, role="person_key", identifier_type="person")
    described = table("DAY", key, column("DAY", "date"))
    rows = [
        "p0;01/03/1999",
        *(f"p{n};{n + 1:02}/01/2024" for n in range(11)),
        *(f"p{n};{n:02}/02/2024" for n in range(1, 12)),
    ]
    rows += [f"p{n % 10};05/07/2024" for n in range(40)]
    entry = measured(tmp_path, "\n".join(["ID;DAY", *rows, ""]), described)
    assert (entry.first_event, entry.last_event) == ("2024-01", "2024-02")


@pytest.mark.parametrize(("event_date", "month"), [("DAY", "1999-03"), (None, None)])
def test_a_table_has_events_where_it_declares_their_date_whatever_its_key(
    tmp_path: Path, event_date: str | None, month: str | None
) -> None:
    """Vaccinations are told apart by their person and rank, or day."""
    key = column("ID", "string(36)", nullable=False, role="person_key", identifier_type="person")
    described = table(event_date, key, column("DAY", "date", nullable=False)) | {"primary_key": ["ID", "DAY"]}
    rows = [f"p{n};01/03/1999" for n in range(20)]
    entry = measured(tmp_path, "\n".join(["ID;DAY", *rows, ""]), described)
    assert (entry.rows, entry.first_event, entry.last_event) == (20, month, month)


@pytest.mark.parametrize(("kind", "month"), [("person", "2024-01"), ("nir", None)])
def test_persons_are_counted_by_the_first_filled_of_their_keys(tmp_path: Path, kind: str, month: str | None) -> None:
    """Keys of two kinds may be the same persons': of six by one and six by the other months are not told."""
    key: dict[str, Any] = {"role": "person_key"}
    described = table(
        "DAY",
        column("NUM", "string(36)", identifier_type="person", **key),
        column("OTHER", "string(36)", identifier_type=kind, **key),
        column("DAY", "date"),
    )
    rows = [f"{f'p{n}' if n < 6 else ''};{f'p{n}' if n >= 6 else ''};05/01/2024" for n in range(12)]
    entry = measured(tmp_path, "\n".join(["NUM;OTHER;DAY", *rows, ""]), described)
    assert (entry.persons, entry.first_event) == (12, month)


def test_an_entry_of_an_earlier_form_is_neither_shown_nor_up_to_date(tmp_path: Path) -> None:
    """It told the days of single events: births among them."""
    world = World.create(tmp_path)
    world.deliver()
    with world.lake().writer() as engine:
        write_entry(engine, measure(engine, world.datasets["care"]))
        assert read_state(engine, "").described == read_state(engine, "").current
        engine.execute("UPDATE lake.catalog.entry SET document = replace(document, '\"form\": 2', '\"form\": 1')")
        assert (read_entries(engine), read_state(engine, "").described) == ({}, {})
