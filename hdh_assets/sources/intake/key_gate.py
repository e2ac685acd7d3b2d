"""The gate of keys: rows of one primary key, in a delivery or in two periods, and rows whose foreign key finds nothing.

They are looked for among the rows just loaded, inside their transaction, by hashing keys first. What happens to them
is the descriptor's decision: counted, rejected, or the delivery refused. What another period holds is only counted:
the tables must not depend on which of two periods came first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import duckdb

from hdh_assets.core.descriptor import Dataset, ForeignKey, Table
from hdh_assets.core.sql_text import literal, quoted
from hdh_assets.sources.intake.row_rules import filled_sql
from resources.lake_tables import table_sql


@dataclass(frozen=True)
class KeyFault:
    """Rows of one table that break a key. `where` selects them among the lake's rows of the delivery."""

    table: Table
    rule: str
    action: str
    columns: tuple[str, ...]
    expected: str
    rows: int
    where: str
    number: int = 0
    """Place of a foreign key among those of its table, from 1; 0 of the primary key."""


def key_faults(
    engine: duckdb.DuckDBPyConnection, dataset: Dataset, delivered: set[str], delivery: UUID, period: str
) -> Iterator[KeyFault]:
    """Each fault in turn: first those whose rows are rejected, then the others, among the rows that stay.

    Referenced tables come first, so that rows rejected there make orphans here. The caller acts on a fault before it
    asks for the next. A foreign key to a table that is not in the delivery is not looked at.
    """
    tables = [table for table in referenced_first(dataset) if table.lake_name in delivered]
    for is_rejecting in (True, False):
        for table in tables:
            if table.primary_key and (table.on_duplicate_key == "reject") is is_rejecting:
                yield from _duplicates(engine, dataset, table, delivery)
            if table.unique_across_periods and not is_rejecting:
                yield from _of_other_periods(engine, dataset, table, delivery, period)
            for number, key in enumerate(table.foreign_keys, 1):
                if key.table.lower() in delivered and (key.on_orphan == "reject") is is_rejecting:
                    yield from _orphans(engine, dataset, table, key, number, delivery)


def _duplicates(
    engine: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table, delivery: UUID
) -> Iterator[KeyFault]:
    name, key = table_sql(dataset, table), _columns(table.primary_key)
    own = f"_delivery = '{delivery}'"
    suspects = engine.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {name} WHERE {own} GROUP BY hash({key}) HAVING count(*) > 1)"
    ).fetchone()
    if not suspects or not suspects[0]:
        return
    doubled = (
        f"SELECT {key} FROM {name} WHERE {own} AND hash({key}) IN "
        f"(SELECT hash({key}) FROM {name} WHERE {own} GROUP BY hash({key}) HAVING count(*) > 1) "
        f"GROUP BY {key} HAVING count(*) > 1"
    )
    where = f"{own} AND ({key}) IN ({doubled})"
    names = ", ".join(table.primary_key)
    yield from _fault(
        engine, dataset, KeyFault(table, "duplicate_key", table.on_duplicate_key, table.primary_key, names, 0, where)
    )


def _of_other_periods(
    engine: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table, delivery: UUID, period: str
) -> Iterator[KeyFault]:
    name, key = table_sql(dataset, table), _columns(table.primary_key)
    own, columns = f"_delivery = '{delivery}'", [quoted(part.lower()) for part in table.primary_key]
    bounds = engine.execute(
        f"SELECT {', '.join(f'min({c})::VARCHAR, max({c})::VARCHAR' for c in columns)} FROM {name} WHERE {own}"
    ).fetchone()
    if not bounds or None in bounds:
        return
    # bounds as constants: the lake then opens no file of a period that shares none of a part's values
    near = [
        f"{c} BETWEEN {literal(low)} AND {literal(high)}"
        for c, low, high in zip(columns, bounds[::2], bounds[1::2], strict=True)
    ]
    others = f"SELECT {key} FROM {name} WHERE {' AND '.join([f'_period <> {literal(period)}', *near])}"
    if engine.execute(f"SELECT 1 FROM ({others}) LIMIT 1").fetchone() is None:
        return
    where = f"{own} AND ({key}) IN ({others})"
    yield from _fault(
        engine,
        dataset,
        KeyFault(table, "other_period", "count", table.primary_key, ", ".join(table.primary_key), 0, where),
    )


def _orphans(
    engine: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table, key: ForeignKey, number: int, delivery: UUID
) -> Iterator[KeyFault]:
    """A row refers to nothing where a part of its key is empty, or is what the producer writes for that."""
    parent = dataset.by_name[key.table.lower()]
    own = f"_delivery = '{delivery}'"
    types = [parent.by_name[name.lower()].duckdb_type for name in key.target_columns]
    casts = [f"{quoted(name.lower())}::{kind}" for name, kind in zip(key.columns, types, strict=True)]
    filled = [filled_sql(table.by_name[name.lower()], dataset.format) for name in key.columns]
    where = (
        f"{own} AND {' AND '.join(f'{value} IS NOT NULL' for value in filled)} AND hash({', '.join(casts)}) NOT IN "
        f"(SELECT hash({_columns(key.target_columns)}) FROM {table_sql(dataset, parent)} WHERE {own})"
    )
    fault = KeyFault(table, "orphan", key.on_orphan, key.columns, parent.name, 0, where, number)
    yield from _fault(engine, dataset, fault)


def _fault(engine: duckdb.DuckDBPyConnection, dataset: Dataset, fault: KeyFault) -> Iterator[KeyFault]:
    found = engine.execute(f"SELECT count(*) FROM {table_sql(dataset, fault.table)} WHERE {fault.where}").fetchone()
    if found and found[0]:
        yield replace(fault, rows=int(found[0]))


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(quoted(name.lower()) for name in names)


def referenced_first(dataset: Dataset) -> list[Table]:
    """The tables of a dataset, each after those its foreign keys point to."""
    ordered: list[Table] = []

    def visit(table: Table, above: frozenset[str]) -> None:
        if table in ordered or table.lake_name in above:
            return
        for key in table.foreign_keys:
            visit(dataset.by_name[key.table.lower()], above | {table.lake_name})
        ordered.append(table)

    for table in dataset.tables:
        visit(table, frozenset())
    return ordered
