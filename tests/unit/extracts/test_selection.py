"""Which rows of a delivered table an extract takes, as SQL."""

from __future__ import annotations

from typing import Any

import pytest

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import RefusedError
from hdh_assets.extracts.selection import rows_of
from tests.integration.intake_world import column, dataset, text


def table(name: str, *leads: str, persons: bool = False) -> dict[str, Any]:
    """A table whose rows have a key of their own and one for each table they lead to."""
    keys = [{"columns": [f"OF_{lead}"], "table": lead, "to_columns": ["NUM"]} for lead in leads]
    columns = [column("NUM", "string(9)", nullable=False), *(column(f"OF_{lead}", "string(9)") for lead in leads)]
    if persons:
        columns.append(column("ID", "string(9)", role="person_key", identifier_type="person"))
    return {
        "name": name,
        "title": text(name),
        "description": text(name),
        "primary_key": ["NUM"],
        "foreign_keys": keys,
        "columns": columns,
    }


def care(*tables: dict[str, Any]) -> Dataset:
    return dataset(tables=[table("STAYS", "SITES", persons=True), *tables])


@pytest.mark.parametrize(
    "tables",
    [
        [table("SITES", "SITES")],
        [table("SITES", "GROUPS"), table("GROUPS", "SITES")],
        [table("SITES", "GROUPS", "SITES"), table("GROUPS", "TRUSTS"), table("TRUSTS", "SITES", "TRUSTS")],
    ],
)
def test_a_directory_may_lead_to_itself_or_round_in_a_circle(tables: list[dict[str, Any]]) -> None:
    described = care(*tables)
    for name in [each["name"].lower() for each in tables]:
        assert rows_of(described, described.by_name[name], lambda _: "") == f'FROM lake."care"."{name}" AS t'


def test_a_circle_that_leads_to_persons_is_no_directory() -> None:
    described = care(table("SITES", "GROUPS"), table("GROUPS", "SITES", "STAYS"))
    with pytest.raises(RefusedError, match=r"care\.sites cannot be limited to the persons of a permit"):
        rows_of(described, described.by_name["sites"], lambda _: "")


def test_a_table_that_only_itself_points_at_is_no_directory() -> None:
    described = care(table("SITES"), table("ALONE", "ALONE"))
    with pytest.raises(RefusedError, match=r"care\.alone cannot be limited"):
        rows_of(described, described.by_name["alone"], lambda _: "")
