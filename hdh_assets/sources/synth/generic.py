"""The generator of any dataset, from its descriptor alone.

Types, code lists, bounds, simple patterns, primary and foreign keys hold, and person keys are those of the shared
population. Values are plausible in form, not in meaning: a dataset that needs more names a column generator in
`synth:` (see `column_value`) or gets a generator of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

import duckdb

from hdh_assets.core.column import Column, Role
from hdh_assets.core.descriptor import Dataset, ForeignKey, Mode, Table
from hdh_assets.core.errors import HubError
from hdh_assets.sources.intake.row_rules import filled_sql
from hdh_assets.sources.synth.engine import write_table
from hdh_assets.sources.synth.generic_keys import SUBJECT, Numbering, Part, numbering
from hdh_assets.sources.synth.generic_values import IDENTIFYING, NAMED, SUBJECTS, column_value, person_value
from hdh_assets.sources.synth.order import Order

ROWS_WITHOUT_PERSONS = 100
"""Of a table from which no foreign key leads to persons."""
_DAYS = {"daily": 1, "weekly": 7, "monthly": 28, "quarterly": 90, "yearly": 365}


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
    start, days = _first_day(order.period), _DAYS[dataset.cadence]
    tag = f"{dataset.id}|{table.lake_name}" + (f"|{order.period}" if dataset.mode is Mode.append else "")
    subject = _subject(table)
    _check_generators(table, subject)
    given = _given(dataset, table)
    owners = _owners(con, dataset, table, subject)
    telling = {part: count for part, count in owners.items() if _tells_apart(dataset, table, part, given)}
    is_asked = subject == "person" or _leads_to_persons(dataset, table)
    asked = _row_count(order, table, subject, owners, is_asked=is_asked)
    before = (start - _first_day(dataset.first_period)).days // days if table.unique_across_periods else 0
    rows = numbering(table, asked, telling, given, days, is_asked=is_asked, periods_before=before)
    joins = [
        f"JOIN {SUBJECTS[subject]} s ON s.subject = "
        + (f"r % {owners[SUBJECT]}" if subject == "commune" else _counted(rows, SUBJECT, subject, owners))
    ]
    values: dict[str, str] = {}
    for position, key in _parents(dataset, table):
        alias = f"parent{position}"
        # renamed, so that no column of the parent hides r, k or s
        taken = ", ".join(f'"{name.lower()}" AS "{alias} {name.lower()}"' for name in key.target_columns)
        joins.append(
            f'JOIN (SELECT r AS "{alias} r", {taken} FROM "{_made(dataset.by_name[key.table.lower()])}") '
            f'ON "{alias} r" = {_counted(rows, position, alias, owners)}'
        )
        for here, there in zip(key.columns, key.target_columns, strict=True):
            values.setdefault(here.lower(), f'"{alias} {there.lower()}"')
    for key in table.foreign_keys:
        if dataset.by_name[key.table.lower()] is table:
            for here, there in zip(key.columns, key.target_columns, strict=True):
                values.setdefault(here.lower(), _value(table.by_name[there.lower()], table, rows, start, days))
    for column in table.columns:
        values.setdefault(column.lake_name, _value(column, table, rows, start, days))
    shown = [f'{_in_order(column, order.dataset, table, values)} AS "{column.lake_name}"' for column in table.columns]
    return (
        f"SELECT r, {', '.join(shown)} FROM "
        f"(SELECT range::BIGINT AS r, hash({order.seed}::BIGINT, '{tag}', range::BIGINT) AS k FROM range({rows.rows})) "
        + " ".join(joins)
    )


def _check_generators(table: Table, subject: str) -> None:
    """Raise `HubError` when a column asks for what is known of other subjects than the table's."""
    for column in table.columns:
        about = "commune" if (column.synth or "").startswith("commune") else "person"
        if column.synth in NAMED and about != subject:
            raise HubError(
                f"column {table.name}.{column.name}: {column.synth!r} tells of a {about}, and no row is about one",
                remedy="home_commune is the commune of a person; a table is about persons when it has a person key",
            )


def _counted(rows: Numbering, part: Part, tag: str, owners: Mapping[Part, int]) -> str:
    return rows.counted.get(part) or f"pick('{tag}', k, {owners[part]})"


def _value(column: Column, table: Table, rows: Numbering, start: date, days: int) -> str:
    if column.identifier_type and column.role in (Role.person_key, Role.direct_identifier):
        return person_value(column)
    value = column_value(column, start, days, rows.counted.get(column.lake_name))
    is_in_key = column.lake_name in {name.lower() for name in table.primary_key}
    if column.nullable and not column.synth and not is_in_key:
        return f"CASE WHEN percent('missing {column.lake_name}', k, 95) THEN {value} END"
    return value


def _in_order(column: Column, dataset: Dataset, table: Table, values: Mapping[str, str]) -> str:
    """The column's value, no earlier than that of the column it is not before, and none that means missing.

    Where one of two instants is written without its seconds, the later is of the next day.
    """
    value = values[column.lake_name]
    if column.not_before:
        first = table.by_name[column.not_before.lower()]
        earlier = _in_order(first, dataset, table, values)
        if column.kind == "timestamp" and column.format != first.format:
            earlier = f"date_trunc('day', {earlier}) + INTERVAL 1 DAY"
        value = f"CASE WHEN {value} IS NOT NULL THEN greatest({value}, {earlier}) END"
    is_free = column.nullable and not column.synth and column.lake_name not in map(str.lower, table.primary_key)
    return filled_sql(column, dataset.format, value) if is_free else value


def _parents(dataset: Dataset, table: Table) -> list[tuple[int, ForeignKey]]:
    """Foreign keys to other tables, with their positions."""
    found = enumerate(table.foreign_keys)
    return [(position, key) for position, key in found if dataset.by_name[key.table.lower()] is not table]


def _given(dataset: Dataset, table: Table) -> dict[str, Part]:
    """Who decides the value of a column: the first foreign key naming it, or the person or commune it tells."""
    named = [column for column in table.columns if column.synth in IDENTIFYING]
    given: dict[str, Part] = {column.lake_name: SUBJECT for column in (*table.person_keys, *named)}
    for position, key in reversed(_parents(dataset, table)):
        given |= {name.lower(): position for name in key.columns}
    return given


def _owners(con: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table, subject: str) -> dict[Part, int]:
    """How many subjects there are, and rows of each parent."""
    tables: dict[Part, str] = {SUBJECT: SUBJECTS[subject]}
    tables |= {p: f'"{_made(dataset.by_name[key.table.lower()])}"' for p, key in _parents(dataset, table)}
    return {part: _count(con, name) for part, name in tables.items()}


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    counted = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(counted[0]) if counted else 0


def _subject(table: Table) -> str:
    if table.person_keys or any(c.role is Role.direct_identifier and c.identifier_type for c in table.columns):
        return "person"
    return "commune" if any((c.synth or "").startswith("commune") for c in table.columns) else "nothing"


def _tells_apart(dataset: Dataset, table: Table, part: Part, given: Mapping[str, Part]) -> bool:
    """Whether no two subjects, or rows of that parent, give the same values to the key.

    They may where the key holds only some columns of the foreign key, or these designate no single row of the parent.
    """
    if not isinstance(part, int):
        return True
    foreign, key = table.foreign_keys[part], {name.lower() for name in table.primary_key}
    parent = {name.lower() for name in dataset.by_name[foreign.table.lower()].primary_key}
    is_whole = all(name.lower() in key and given[name.lower()] == part for name in foreign.columns)
    return is_whole and bool(parent) and parent <= {name.lower() for name in foreign.target_columns}


def _leads_to_persons(dataset: Dataset, table: Table) -> bool:
    """Whether foreign keys lead to a table about persons, over any number of steps."""
    parents = [dataset.by_name[key.table.lower()] for _, key in _parents(dataset, table)]
    return any(_subject(parent) == "person" or _leads_to_persons(dataset, parent) for parent in parents)


def _row_count(order: Order, table: Table, subject: str, owners: Mapping[Part, int], *, is_asked: bool) -> int:
    """One row a person where persons are the key, one a commune for each code of the key, else as many as asked for."""
    keys = [table.by_name[name.lower()] for name in table.primary_key]
    if subject == "commune":
        return owners[SUBJECT] * math.prod(len(column.codes) for column in keys if column.codes)
    if keys and all(column.role is Role.person_key for column in keys):
        return owners[SUBJECT]
    return math.ceil(order.persons * order.dataset.synth.rows_per_person) if is_asked else ROWS_WITHOUT_PERSONS


def _first_day(period: str) -> date:
    year, month, day = (*map(int, period.split("-")), 1, 1)[:3]
    return date(year, month, day)
