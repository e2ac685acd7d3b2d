"""Whose rows a permit covers."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from hdh_assets.extracts import persons
from hdh_assets.extracts.omop_rules import ROWS
from hdh_assets.extracts.persons import population_conditions
from hdh_assets.governance.dossier import Period, Population

PERIOD = Period.model_validate({"from": "2024-03-15", "to": "2024-12-31"})


@pytest.mark.parametrize(
    ("born", "is_adult"),
    [
        ((2006, 3, 15), True),
        ((2006, 3, 14), True),
        ((2006, 3, 16), False),
        ((2006, 4, 1), False),
        ((2006, 2, 28), True),
        ((2005, 12, 31), True),
        ((2006, 12, 31), False),
        ((2007, 1, 1), False),
        ((2006, None, None), True),
        ((2006, 3, None), True),
        ((2006, 4, None), False),
        ((2007, None, None), False),
        ((2006, None, 31), True),
        ((None, None, None), False),
    ],
)
def test_an_age_is_in_completed_years_and_unknown_birthdays_are_past(
    born: tuple[int | None, int | None, int | None], is_adult: bool
) -> None:
    assert belongs(born, PERIOD, min=18, max=120) is is_adult


@pytest.mark.parametrize(
    ("born", "is_child"),
    [
        ((2024, 3, 15), True),
        ((2024, 3, 16), True),
        ((2025, 12, 31), True),
        ((2026, 6, 30), True),
        ((2026, 7, 1), False),
        ((2026, 6, None), True),
        ((2026, 7, None), False),
        ((2026, None, None), True),
        ((2027, None, None), False),
        ((2021, 3, 16), True),
        ((2021, 3, 15), False),
        ((None, None, None), False),
    ],
)
def test_children_born_within_the_period_belong_where_the_youngest_age_is_0(
    born: tuple[int | None, int | None, int | None], is_child: bool
) -> None:
    """Of two years of births a study of infants would miss all but those of the first day."""
    period = Period.model_validate({"from": "2024-03-15", "to": "2026-06-30"})
    assert belongs(born, period, min=0, max=2) is is_child
    assert belongs(born, period, max=2) is is_child
    assert belongs(born, period, min=1, max=2) is (is_child and (born[0] or 0) < 2024)


def belongs(born: tuple[int | None, int | None, int | None], period: Period, **age: int) -> bool:
    """Whether somebody born then is of the population of that age."""
    conditions = population_conditions(Population.model_validate({"age": age}), period)
    query = (
        f"SELECT count(*) FROM (SELECT ?::INTEGER AS year_of_birth, ?::INTEGER AS month_of_birth, "
        f"?::INTEGER AS day_of_birth) WHERE {' AND '.join(conditions)}"
    )
    with duckdb.connect() as engine:
        return engine.execute(query, list(born)).fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("table", "start", "end", "is_chosen"),
    [
        ("payer_plan_period", "2024-01-01", "2024-06-30", True),
        ("payer_plan_period", "2024-03-01", "2024-03-14", False),
        ("payer_plan_period", "2024-12-31", "2025-12-31", True),
        ("payer_plan_period", "2025-01-01", "2025-12-31", False),
        ("drug_era", "2024-03-15", "2024-12-31", True),
        ("drug_era", "2024-03-15", "2025-01-01", False),
        ("drug_era", "2024-03-14", "2024-04-01", False),
        ("drug_exposure", "2024-12-31", "2025-01-31", True),
        ("drug_exposure", "2024-03-14", "2024-04-01", False),
    ],
)
def test_persons_are_chosen_by_the_rows_that_an_extract_gives(
    table: str, start: str, end: str, is_chosen: bool
) -> None:
    """A cover lasts for years: by the day it starts a permit for one month would find nobody."""
    rows = ROWS[table]
    asked = {"table": f"omop.{table}", "column": "code", "values": ["A*"]}
    (condition,) = population_conditions(Population.model_validate({"persons_with": [asked]}), PERIOD)
    with duckdb.connect() as engine:
        engine.execute("ATTACH ':memory:' AS lake")
        engine.execute("CREATE SCHEMA lake.omop")
        engine.execute(
            f"CREATE TABLE lake.omop.{table} AS SELECT 1 AS person_id, 'A1' AS code, "
            f"DATE '{start}' AS {rows.start}, DATE '{end}' AS {rows.end or 'until'}"
        )
        assert engine.execute(f"SELECT count(*) FROM (SELECT 1 AS person_id) WHERE {condition}").fetchall() == [
            (int(is_chosen),)
        ]


@pytest.mark.parametrize(("permitted", "is_allowed"), [([1, 2], True), ([1], False), ([2], False), ([], False)])
def test_a_pseudonym_that_twins_share_is_delivered_when_both_are_permitted(
    permitted: list[int], is_allowed: bool
) -> None:
    """`bool_or` in its place would deliver the lines of a twin whom the permit does not cover."""

    class Keys:
        def pseudonyms(self, found: pl.Series) -> pl.DataFrame:
            other = [f"00000000-0000-0000-0000-{n:012}" for n in range(len(found))]
            return pl.DataFrame({"hub": found, "number": found, "pseudonym": other})

    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE source_key AS SELECT uuid() AS hub")
        engine.execute("CREATE TABLE link AS SELECT hub, unnest([1, 2]) AS person_id FROM source_key")
        engine.execute("CREATE TABLE cohort AS SELECT unnest(?::BIGINT[]) AS person_id", [permitted])
        persons._person_keys(engine, Keys(), is_everybody=False)  # type: ignore[arg-type]
        assert engine.execute("SELECT is_allowed FROM person_key").fetchall() == [(is_allowed,)]
