"""Whose rows a permit covers: the cohort of CDM persons, and the pseudonyms of delivered tables that are theirs.

Makes temporary tables on a connection to the release:
`cohort(person_id, number, pseudonym)`, one row per permitted person;
`person_key(hub, project, is_allowed)`, one row per pseudonym found in the delivered tables of the permit;
`place(location_id, same)`, where the permit knows departments alone: the place that stands for all of a department.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.keys import LakeTable
from hdh_assets.core.person_number import person_number
from hdh_assets.core.sql_text import literal
from hdh_assets.extracts.omop_rules import LOCATION_ID, ROWS
from hdh_assets.extracts.plan import TablePlan, person_columns
from hdh_assets.extracts.project_keys import ProjectKeys
from hdh_assets.extracts.ways import whose
from hdh_assets.governance.dossier import Age, Period, PersonsWith, Population, Sex
from hdh_assets.governance.permit import Permit

_GENDER = {Sex.female: 8532, Sex.male: 8507}
_PLACES = (
    "SELECT location_id, min(location_id) OVER (PARTITION BY county, state, country_concept_id, country_source_value) "
    "AS same FROM lake.omop.location"
)
_IDENTITY_TABLES = "int\\_%\\_\\_identity\\_kept"


@dataclass(frozen=True)
class Persons:
    """How many are permitted: `known` persons of the CDM, and `others`, pseudonyms that designate nobody of it.

    Somebody whom several producers know under identifiers that nothing links has as many of the latter.
    """

    known: int
    others: int
    are_asked_about: bool = True
    """Whether any table of the permit tells of persons."""

    @property
    def are_none(self) -> bool:
        """Whether nobody is permitted."""
        return not self.known and not self.others


def prepare_persons(
    engine: duckdb.DuckDBPyConnection,
    permit: Permit,
    plans: Sequence[TablePlan],
    datasets: Mapping[str, Dataset],
    keys: ProjectKeys,
) -> Persons:
    """Make `cohort`, `person_key` and, when it is needed, `place`."""
    if any(_has_places(plan) and not plan.has_communes for plan in plans):
        engine.execute(f"CREATE TABLE memory.place AS {_PLACES}")
    _links(engine, plans, datasets)
    conditions = population_conditions(permit.population, permit.period)
    persons = engine.execute(
        f"SELECT person_id FROM lake.omop.person WHERE {' AND '.join(conditions) or 'true'} ORDER BY person_id"
    ).pl()["person_id"]
    _keep(engine, "cohort", keys.pseudonyms(persons), "hub AS person_id, number, pseudonym::UUID AS pseudonym")
    _person_keys(engine, keys, is_everybody=permit.population.is_everybody)
    others = "SELECT count(*) FROM person_key WHERE is_allowed AND hub NOT IN (SELECT hub FROM link)"
    is_asked = any(tells_of_persons(plan, datasets) for plan in plans)
    return Persons(len(persons), int(engine.execute(others).fetchall()[0][0]), is_asked)


def tells_of_persons(plan: TablePlan, datasets: Mapping[str, Dataset]) -> bool:
    """Whether the rows of a table are limited to persons, so that it has something to say of them."""
    if plan.is_omop:
        return ROWS[plan.table.name].kind not in {"directory", "location"}
    return bool(_person_sources(datasets, plan))


def _has_places(plan: TablePlan) -> bool:
    return plan.is_omop and (plan.table.name == "location" or any(c.name == LOCATION_ID for c in plan.columns))


def population_conditions(population: Population, period: Period) -> list[str]:
    """SQL conditions on `omop.person`, all of which must hold."""
    conditions = []
    if age := population.age:
        conditions += _of_age(age, period)
    if population.sex:
        concepts = ", ".join(str(_GENDER[sex]) for sex in population.sex)
        conditions.append(f"gender_concept_id IN ({concepts})")
    return conditions + [_has_code(condition, period) for condition in population.persons_with]


def _of_age(age: Age, period: Period) -> list[str]:
    """SQL conditions on the age at the first day; from 0 on, also who is born later, up to the last day."""
    youngest = f"{_completed_years(period.first)} >= {age.min}" if age.min else f"{_completed_years(period.last)} >= 0"
    return [youngest, f"{_completed_years(period.first)} <= {age.max}"]


def _completed_years(day: date) -> str:
    """SQL of the age at a day; a birthday whose month, or whose day in that month, is unknown counts as past."""
    is_to_come = (
        f"month_of_birth > {day.month} OR (month_of_birth = {day.month} AND coalesce(day_of_birth, 1) > {day.day})"
    )
    return f"{day.year} - year_of_birth - coalesce({is_to_come}, false)::INTEGER"


def _has_code(condition: PersonsWith, period: Period) -> str:
    """Rows that tell of a person are those that would be delivered: spans too."""
    table = condition.table.removeprefix("omop.")
    exact = [literal(value) for value in condition.values if not value.endswith("*")]
    starts = [literal(value[:-1]) for value in condition.values if value.endswith("*")]
    text = f'CAST(t."{condition.column}" AS VARCHAR)'
    tests = [f"{text} IN ({', '.join(exact)})"] if exact else []
    tests += [f"starts_with({text}, {start})" for start in starts]
    chosen = f"({' OR '.join(tests)}) AND {ROWS[table].within(period)}"
    return f'person_id IN (SELECT t.person_id FROM lake.omop."{table}" AS t WHERE {chosen})'


def _links(engine: duckdb.DuckDBPyConnection, plans: Sequence[TablePlan], datasets: Mapping[str, Dataset]) -> None:
    """`source_key(hub)`: pseudonyms to translate; `link(hub, person_id)`: the persons each one designates."""
    found = [
        f'SELECT "{column}" AS hub FROM {table.sql}'
        for plan in plans
        if not plan.is_omop
        for table, column in _person_sources(datasets, plan)
    ]
    union = " UNION ".join(["SELECT NULL::UUID AS hub", *found])
    engine.execute(f"CREATE TABLE memory.source_key AS SELECT DISTINCT hub FROM ({union}) WHERE hub IS NOT NULL")
    links = [f'SELECT "{column}" AS hub, person_id FROM lake.staging."{table}"' for table, column in identities(engine)]
    own = f"SELECT hub, {person_number('hub')} AS person_id FROM source_key"
    engine.execute(
        f"CREATE TABLE memory.link AS SELECT DISTINCT hub, person_id FROM ({' UNION ALL '.join([*links, own])}) "
        "WHERE hub IS NOT NULL AND person_id IN (SELECT person_id FROM lake.omop.person)"
    )


def _person_sources(datasets: Mapping[str, Dataset], plan: TablePlan) -> list[tuple[LakeTable, str]]:
    """Where the pseudonyms of a delivered table are: those that say whose its rows are, and those it delivers."""
    dataset = datasets[plan.table.schema]
    owner = whose(dataset, dataset.by_name[plan.table.name])
    found = [(LakeTable(dataset.id, owner.lake_name), key.lake_name) for key in owner.deciding_keys] if owner else []
    return list(dict.fromkeys([*found, *((plan.table, column) for column in person_columns(plan))]))


def identities(engine: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Staging tables, with a column of pseudonyms, that say which person each designates."""
    rows = engine.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = 'staging' "
        f"AND table_name LIKE '{_IDENTITY_TABLES}' ESCAPE '\\' AND data_type = 'UUID' ORDER BY ALL"
    ).fetchall()
    return [(table, column) for table, column in rows]


def _person_keys(engine: duckdb.DuckDBPyConnection, keys: ProjectKeys, *, is_everybody: bool) -> None:
    """A pseudonym is allowed when every person it may designate is (same-sex twins share one)."""
    found = engine.execute(f"SELECT hub, {person_number('hub')} AS person FROM source_key ORDER BY hub").pl()
    table = keys.pseudonyms(found["person"]).rename({"hub": "person"}).with_columns(found["hub"].alias("hub"))
    in_cohort = "SELECT hub FROM link GROUP BY hub HAVING bool_and(person_id IN (SELECT person_id FROM cohort))"
    allowed = "true" if is_everybody else f"hub::UUID IN ({in_cohort})"
    _keep(engine, "person_key", table, f"hub::UUID AS hub, pseudonym::UUID AS project, {allowed} AS is_allowed")


def _keep(engine: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame, columns: str) -> None:
    engine.register("incoming", frame)
    engine.execute(f"CREATE TABLE memory.{name} AS SELECT {columns} FROM incoming")
    engine.unregister("incoming")
