"""Taking the rows of opposed persons out of delivered tables, in the caller's transaction.

First the keys of each person are completed from the references delivered, then rows and mentions go, children before
the tables they hang on. What was found comes back; writing it in the book is the caller's business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import duckdb

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.opposition import Opposition, PersonKey, Place, shared_types
from hdh_assets.core.person_number import person_number
from hdh_assets.core.sql_text import quoted
from hdh_assets.sources.intake.key_gate import referenced_first
from hdh_assets.sources.opposed.probes import (
    KEY_SHAPE,
    Probe,
    found_sql,
    learnt_sql,
    mentioned_sql,
    mentions,
    owned_sql,
    owners,
    person_types,
    within,
)
from resources.lake_tables import table_sql

Datasets = Mapping[str, Dataset]


@dataclass
class Findings:
    """What was found: keys learnt and places by opposition, rows kept out and whose they were."""

    keys: dict[int, set[PersonKey]] = field(default_factory=dict)
    places: dict[int, list[Place]] = field(default_factory=dict)
    rows: int = 0
    persons: set[int] = field(default_factory=set)
    """Oppositions of the persons who had rows, mentions apart."""

    @property
    def deliveries(self) -> set[tuple[str, str]]:
        """Datasets and deliveries that lost something."""
        return {(place.dataset, place.delivery) for places in self.places.values() for place in places}

    def add_place(self, number: int, place: Place) -> None:
        """Note where rows of an opposition were."""
        known = self.places.setdefault(number, [])
        if place not in known:
            known.append(place)


def put_keys(engine: duckdb.DuckDBPyConnection, entries: Iterable[Opposition]) -> None:
    """Make `opposed_key` of these oppositions, in the engine's memory."""
    _make_keys(
        engine,
        [
            (entry.number, key.identifier_type, key.pseudonym, key.rank, list(entry.datasets))
            for entry in entries
            for key in entry.keys
        ],
    )


def keys_of(engine: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """The rows of `opposed_key`."""
    return engine.execute("FROM opposed_key").fetchall()


def copy_keys(source: duckdb.DuckDBPyConnection, target: duckdb.DuckDBPyConnection) -> None:
    """Make `opposed_key` of `target` the same as that of `source`."""
    _make_keys(target, keys_of(source))


def _make_keys(engine: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]]) -> None:
    engine.execute(f"CREATE OR REPLACE TEMP TABLE opposed_key ({KEY_SHAPE})")
    if rows:
        engine.executemany("INSERT INTO opposed_key VALUES (?, ?, ?, ?, ?)", rows)


def learn(
    engine: duckdb.DuckDBPyConnection,
    tables: Iterable[tuple[Dataset, Table]],
    datasets: Datasets,
    findings: Findings,
    where: str = "true",
) -> None:
    """Complete `opposed_key` with the other keys of the same persons, until nothing new is found."""
    shared = shared_types(list(datasets.values()))
    queries = [sql for dataset, table in tables for sql in learnt_sql(dataset, table, shared, where)]
    while queries:
        union = " UNION ".join(queries)
        new = engine.execute(
            f"SELECT * FROM ({union}) AS found (k_number, k_type, k_pseudonym, k_rank) "
            "ANTI JOIN opposed_key USING (k_number, k_type, k_pseudonym, k_rank)"
        ).fetchall()
        if not new:
            return
        for number, kind, pseudonym, rank in new:
            findings.keys.setdefault(number, set()).add(PersonKey(kind, str(pseudonym), rank))
        engine.executemany(
            "INSERT INTO opposed_key SELECT ?, ?, ?, ?, max(k_datasets) FROM opposed_key WHERE k_number = ?",
            [(*row, row[0]) for row in new],
        )


def keep_out(
    engine: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    datasets: Datasets,
    findings: Findings,
    delivery: UUID | None = None,
) -> None:
    """Remove the rows of opposed persons from the dataset, or from one of its deliveries, and every mention of them."""
    where = within([str(delivery)]) if delivery else "true"
    types = person_types(list(datasets.values()))
    for table in dataset.tables:
        find(engine, dataset, table, types, findings, where)
    if thinned := {delivery for name, delivery in findings.deliveries if name == dataset.id}:
        for table in reversed(referenced_first(dataset)):
            _remove(engine, dataset, table, types, findings, within(thinned))


def find(
    engine: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    table: Table,
    types: Collection[str],
    findings: Findings,
    where: str,
) -> None:
    """Note where rows of a table are about opposed persons or mention them."""
    own = owners(table)
    others = [Probe(str(c.identifier_type), quoted(c.lake_name)) for c in mentions(table, types)]
    for probe in (*own, *others):
        for number, period, delivery in engine.execute(found_sql(dataset, table, probe, where)).fetchall():
            findings.add_place(number, Place(dataset.id, period, str(delivery)))
            if probe in own:
                findings.persons.add(number)


def numbers(engine: duckdb.DuckDBPyConnection, oppositions: Collection[int]) -> set[int]:
    """Every person number the keys of these oppositions may have given in OMOP or in an extract."""
    chosen = f"k_number IN ({', '.join(map(str, sorted(oppositions)))})"
    alone, ranked = person_number("k_pseudonym"), person_number("k_pseudonym", "k_rank")
    found = engine.execute(
        f"SELECT {alone} FROM opposed_key WHERE {chosen} UNION "
        f"SELECT {ranked} FROM opposed_key WHERE {chosen} AND k_rank <> ''"
    ).fetchall()
    return {number for (number,) in found}


def _remove(
    engine: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    table: Table,
    types: Collection[str],
    findings: Findings,
    where: str,
) -> None:
    if owned := owned_sql(dataset, table):
        findings.rows += _changed(
            engine, f"DELETE FROM {table_sql(dataset, table)} WHERE {where} AND coalesce({owned}, false)"
        )
    key = {name.lower() for name in table.primary_key}
    for column in mentions(table, types):
        change = f"DELETE FROM {table_sql(dataset, table)}"
        if column.lake_name not in key:
            change = f"UPDATE {table_sql(dataset, table)} SET {quoted(column.lake_name)} = NULL"
        condition = f"{where} AND {mentioned_sql(column, dataset)}"
        if _changed(engine, f"SELECT count(*) FROM {table_sql(dataset, table)} WHERE {condition}"):
            engine.execute(f"{change} WHERE {condition}")


def _changed(engine: duckdb.DuckDBPyConnection, statement: str) -> int:
    found = engine.execute(statement).fetchone()
    return int(found[0]) if found else 0
