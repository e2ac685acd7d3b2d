"""What an extract is planned from: a permit, the descriptors and what the release has of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import RefusedError
from hdh_assets.extracts.plan import plan_extract
from hdh_assets.governance.permit import Permit
from tests.integration.intake_world import column, dataset, text

STAYS = {"NUM": "VARCHAR", "AN": "UUID", "NIR": "UUID", "DAY": "DATE"}
ACTS = {"NUM": "VARCHAR", "MOTHER": "UUID", "CODE": "VARCHAR"}
DECIDING = [("stays", "NUM"), ("stays", "AN"), ("stays", "NIR"), ("stays", "DAY"), ("acts", "NUM")]


def care() -> Dataset:
    """Stays of persons known by the hospital's number, or else by their NIR, and their acts, which name a mother."""
    named = {"title": text("Care"), "description": text("Care"), "primary_key": ["NUM"]}
    num = column("NUM", "string(12)", nullable=False)
    keys = [
        column("AN", "string(9)", role="person_key", identifier_type="hospital"),
        column("NIR", "string(15)", role="person_key", identifier_type="nir"),
    ]
    stays = {"name": "STAYS", "columns": [num, *keys, column("DAY", "date")], "event_date": "DAY"} | named
    told = [column("MOTHER", "string(9)", identifier_type="hospital"), column("CODE", "string(7)")]
    follows = [{"columns": ["NUM"], "table": "STAYS"}]
    return dataset(tables=[stays, {"name": "ACTS", "columns": [num, *told], "foreign_keys": follows} | named])


def permit(**tables: Any) -> Permit:
    return Permit.model_validate(
        {
            "project": "pilot",
            "number": 1,
            "dossier_version": 1,
            "title": "Pilot",
            "tables": {f"care.{name}": columns for name, columns in tables.items()},
            "population": {},
            "period": {"from": "2024-01-01", "to": "2024-12-31"},
            "precision": {},
            "granted_on": date(2024, 1, 1),
            "expires": date(2099, 1, 1),
        }
    )


def release(lacks: tuple[str, str] | None = None) -> dict[str, list[tuple[str, str]]]:
    tables = {"stays": STAYS, "acts": ACTS}
    return {
        f"care.{table}": [(name.lower(), kind) for name, kind in columns.items() if (table, name) != lacks]
        for table, columns in tables.items()
    }


@pytest.mark.parametrize("lacks", DECIDING, ids=".".join)
def test_a_release_without_what_decides_the_rows_of_a_table_gives_none(lacks: tuple[str, str]) -> None:
    """A column that was declared since: without it, rows would be of anybody, or of any time."""
    table, name = lacks
    with pytest.raises(RefusedError, match=rf"no care\.{table}\.{name.lower()}, which says whose rows of care\.acts"):
        plan_extract(permit(acts=["code"]), {"care": care()}, release(lacks))


def test_one_that_lacks_what_the_permit_does_not_name_gives_the_rest() -> None:
    (plan,) = plan_extract(permit(acts=["code"]), {"care": care()}, release(("acts", "MOTHER")))
    assert [column.name for column in plan.columns] == ["code"]


def test_a_permit_on_what_is_no_longer_delivered_gives_nothing() -> None:
    """Granted before a descriptor lost the key that said whose rows they were."""
    content = care().model_dump(mode="json", by_alias=True, exclude_unset=True)
    del content["tables"][1]["foreign_keys"]
    with pytest.raises(RefusedError, match=r"pilot/permit-1 names care\.acts, which cannot be limited to the persons"):
        plan_extract(permit(acts=["code"]), {"care": Dataset.model_validate(content)}, release())
