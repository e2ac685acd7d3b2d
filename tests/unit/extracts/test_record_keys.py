"""What becomes of the parts of a key: numbers of records are replaced, values are delivered as the permit says."""

from __future__ import annotations

from typing import Any

import pytest

from hdh_assets.core.descriptor import Dataset
from hdh_assets.extracts.treatments import Treatment, source_treatment
from hdh_assets.governance.dossier import Precision
from tests.integration.intake_world import column, dataset, text


def results(*others: dict[str, Any], **roles: str) -> Dataset:
    """Results of a laboratory, whose key is made of what was analysed and when; roles by column."""
    columns = [
        column("LAB", "string(9)", nullable=False, code_list="FINESS"),
        column("SHEET", "string(12)", nullable=False),
        column("LOINC", "string(10)", nullable=False),
        column("RANK", "integer", nullable=False),
        column("IS_URGENT", "boolean", nullable=False),
        column("TAKEN", "timestamp", nullable=False),
        column("ENTERED", "timestamp", nullable=False),
        column("ID", "string(9)", role="person_key", identifier_type="person"),
    ]
    said = [each | ({"role": roles[each["name"]]} if each["name"] in roles else {}) for each in columns]
    words = {"title": text("Results"), "description": text("Results")}
    key = [each["name"] for each in columns[:-1]]
    table = {"name": "RESULTS", "primary_key": key, "event_date": "TAKEN", "columns": said} | words
    return dataset(tables=[table, *others])


def becomes(described: Dataset, name: str, dates: str = "exact", table: str = "results") -> Treatment | None:
    found, precision = described.by_name[table], Precision.model_validate({"dates": dates})
    return source_treatment(described, found, found.by_name[name.lower()], precision, is_listed=True)


@pytest.mark.parametrize(("name", "replaced"), [("LOINC", Treatment.record_text), ("RANK", Treatment.record_number)])
def test_a_part_of_a_key_is_replaced_unless_its_description_says_that_it_is_a_value(
    name: str, replaced: Treatment
) -> None:
    assert becomes(results(), name) is replaced
    assert becomes(Dataset.model_validate(results().model_dump(mode="json")), name) is replaced
    for role in ("payload", "sensitive"):
        assert becomes(results(**{name: role}), name) is Treatment.kept
    for role in ("record_key", "quasi_identifier"):
        assert becomes(results(**{name: role}), name) is replaced
    for coded in ("LAB", "IS_URGENT"):
        assert becomes(results(), coded) is Treatment.kept


@pytest.mark.parametrize(
    ("dates", "of_event", "of_other"),
    [
        ("exact", Treatment.kept, Treatment.kept),
        ("day", Treatment.day, Treatment.record_date),
        ("month", Treatment.month, Treatment.record_date),
    ],
)
def test_the_time_of_the_event_is_cut_in_a_key_too_and_any_other_time_becomes_a_number_where_it_would_be_cut(
    dates: str, of_event: Treatment, of_other: Treatment
) -> None:
    assert becomes(results(), "TAKEN", dates) is of_event
    assert becomes(results(), "ENTERED", dates) is of_other
    assert becomes(results(ENTERED="payload"), "ENTERED", dates) is of_event
    copy = {"columns": ["WHEN"], "table": "RESULTS", "to_columns": ["TAKEN"]}
    columns = [column("WHEN", "timestamp")]
    letters = {"name": "LETTERS", "title": text("L"), "description": text("L"), "foreign_keys": [copy]}
    joined = results(letters | {"columns": columns})
    for name, table in (("TAKEN", "results"), ("WHEN", "letters")):
        assert becomes(joined, name, dates, table) is of_other


def test_keys_that_point_at_each_other_are_replaced_alike() -> None:
    keys = {"A": "B", "B": "A"}
    tables = [
        {"name": name, "title": text(name), "description": text(name), "primary_key": ["NUM"]}
        | {"foreign_keys": [{"columns": ["NUM"], "table": other}], "columns": [column("NUM", "string(9)")]}
        for name, other in keys.items()
    ]
    described = results(*tables)
    assert {becomes(described, "NUM", table=name.lower()) for name in keys} == {Treatment.record_text}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_points_to_a_value_and_to_a_number_of_a_record_is_replaced(order: tuple[int, int]) -> None:
    """By the first of its foreign keys alone, the number of a stay was delivered as the hub has it."""

    def table(name: str, **more: Any) -> dict[str, Any]:
        columns = [column("CODE", "string(9)", nullable=False, **more)]
        return {"name": name, "title": text(name), "description": text(name), "columns": columns}

    pointed = [table("UNITS", role="payload"), table("STAYS")]
    keys = [{"columns": ["CODE"], "table": pointed[place]["name"]} for place in order]
    acts = table("ACTS") | {"foreign_keys": keys}
    described = results(*(each | {"primary_key": ["CODE"]} for each in pointed), acts)
    treatments = [becomes(described, "CODE", table=name) for name in ("units", "stays", "acts")]
    assert treatments == [Treatment.kept, Treatment.record_text, Treatment.record_text]
