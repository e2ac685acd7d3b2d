"""The generator of any dataset, from its descriptor alone.

Types, code lists, bounds, simple patterns, primary and foreign keys hold, and person keys are those of the shared
population. Values are plausible in form, not in meaning: a dataset that needs more names a column generator in
`synth:` (see `column_value`) or gets a generator of its own.
"""

from __future__ import annotations

import math
from datetime import date

import duckdb

from hdh_assets.core.descriptor import Column, Dataset, Mode, Role, Table
from hdh_assets.core.errors import HubError
from hdh_assets.sources.synth.engine import write_table
from hdh_assets.sources.synth.generic_values import SUBJECTS, column_value, person_value
from hdh_assets.sources.synth.registry import Order, register

ROWS_WITHOUT_PERSONS = 100
_DAYS = {"daily": 1, "weekly": 7, "monthly": 28, "quarterly": 90, "yearly": 365}


@register("generic")
def write_generic(con: duckdb.DuckDBPyConnection, order: Order) -> dict[str, int]:
    """Write one file per table; rows by file name."""
    rows: dict[str, int] = {}
    for table in _parents_first(order.dataset):
        con.execute(f'CREATE OR REPLACE TEMP TABLE "{_made(table)}" AS {_query(con, order, table)}')
        kind = order.dataset.format.kind
        path = order.folder / f"{table.name}.{kind}"
        query = f'SELECT * FROM "{_made(table)}" ORDER BY r'
        rows[path.name] = write_table(con, query, table, order.dataset.format, path)
    for table in order.dataset.tables:
        con.execute(f'DROP TABLE "{_made(table)}"')
    return rows


def _made(table: Table) -> str:
    return f"made_{table.lake_name}"


def _parents_first(dataset: Dataset) -> list[Table]:
    waiting, done = list(dataset.tables), list[Table]()
    while waiting:
        names = {table.lake_name for table in waiting}
        ready = [t for t in waiting if not {k.table.lower() for k in t.foreign_keys} & (names - {t.lake_name})]
        if not ready:
            raise HubError(
                f"{dataset.id}: foreign keys go round in a circle", remedy="name a generator of its own in `synth:`"
            )
        done += ready
        waiting = [table for table in waiting if table not in ready]
    return done


def _query(con: duckdb.DuckDBPyConnection, order: Order, table: Table) -> str:
    """One row per `r`, joined to the person or the commune it is about and to the rows its foreign keys name."""
    dataset = order.dataset
    start = _first_day(order.period)
    tag = f"{dataset.id}|{table.lake_name}" + (f"|{order.period}" if dataset.mode is Mode.append else "")
    subject = _subject(table)
    count = _row_count(con, order, table, subject)
    number = "r" if _one_row_each(table, subject) else "pick('subject', k, {population})"
    population = f"(SELECT count(*) FROM {SUBJECTS[subject]})"
    joins = [f"JOIN {SUBJECTS[subject]} s ON s.subject = ({number.format(population=population)}) % {population}"]
    given: dict[str, str] = {}
    for position, key in enumerate(table.foreign_keys):
        parent = dataset.by_name[key.table.lower()]
        if parent is table:
            continue
        made, alias = f'"{_made(parent)}"', f"parent{position}"
        # renamed, so that no column of the parent hides r, k or s
        taken = ", ".join(f'"{name.lower()}" AS "{alias} {name.lower()}"' for name in key.target_columns)
        joins.append(
            f'JOIN (SELECT r AS "{alias} r", {taken} FROM {made}) '
            f"ON \"{alias} r\" = pick('{alias}', k, (SELECT count(*) FROM {made}))"
        )
        for here, there in zip(key.columns, key.target_columns, strict=True):
            given.setdefault(here.lower(), f'"{alias} {there.lower()}"')
    unique = _unique_column(table, given)
    shown = [
        f'{_value(column, unique, given, start, _DAYS[dataset.cadence], count)} AS "{column.lake_name}"'
        for column in table.columns
    ]
    return (
        f"SELECT r, {', '.join(shown)} FROM "
        f"(SELECT range::BIGINT AS r, hash({order.seed}::BIGINT, '{tag}', range::BIGINT) AS k FROM range({count})) "
        + " ".join(joins)
    )


def _value(column: Column, unique: Column | None, given: dict[str, str], start: date, days: int, count: int) -> str:
    if column.lake_name in given:
        return given[column.lake_name]
    if column.identifier_type and column.role in (Role.person_key, Role.direct_identifier):
        return person_value(column)
    value = column_value(column, start, days, unique is column, count)
    if column.nullable and not column.synth and column is not unique:
        return f"CASE WHEN percent('missing {column.lake_name}', k, 95) THEN {value} END"
    return value


def _subject(table: Table) -> str:
    if table.person_keys or any(c.role is Role.direct_identifier and c.identifier_type for c in table.columns):
        return "person"
    return "commune" if any((c.synth or "").startswith("commune") for c in table.columns) else "nothing"


def _row_count(con: duckdb.DuckDBPyConnection, order: Order, table: Table, subject: str) -> int:
    if subject == "nothing":
        return ROWS_WITHOUT_PERSONS
    if subject == "person" and not _one_row_each(table, subject):
        return math.ceil(order.persons * order.dataset.synth.rows_per_person)
    counted = con.execute(f"SELECT count(*) FROM {SUBJECTS[subject]}").fetchone()
    return int(counted[0]) if counted else 0


def _one_row_each(table: Table, subject: str) -> bool:
    if subject == "commune":
        return True
    keys = {name.lower() for name in table.primary_key}
    return bool(keys) and all(table.by_name[name].role is Role.person_key for name in keys)


def _unique_column(table: Table, given: dict[str, str]) -> Column | None:
    """The column that makes the primary key unique: its first text or number that is not decided elsewhere."""
    free = [table.by_name[name.lower()] for name in table.primary_key if name.lower() not in given]
    if any(column.synth for column in free):
        return None
    own = [column for column in free if column.role is not Role.person_key]
    return next((c for c in own if c.kind in ("string", "integer", "uuid") and not c.codes), None)


def _first_day(period: str) -> date:
    year, month, day = (*map(int, period.split("-")), 1, 1)[:3]
    return date(year, month, day)
