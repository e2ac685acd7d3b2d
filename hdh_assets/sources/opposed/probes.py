"""Where a delivered table says whose row it is, as SQL made from its descriptor. Pure.

A row belongs to the persons its person keys designate, the first filled one of each kind; a table without any follows
its foreign keys. Other columns of the same kinds mention persons: the insured parent on the row of a child.
The SQL reads `opposed_key`, made by `keep_out.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.sql_text import first_filled, literal, quoted
from resources.lake_tables import table_sql

KEY_SHAPE = "k_number INTEGER, k_type VARCHAR, k_pseudonym UUID, k_rank VARCHAR, k_datasets VARCHAR[]"
"""Columns of `opposed_key`: one row per opposition and key; no dataset means all."""


@dataclass(frozen=True)
class Probe:
    """SQL of a pseudonym a row holds, and of the rank that tells its persons apart; empty where there is none."""

    identifier_type: str
    value: str
    rank: str = ""


def owners(table: Table) -> list[Probe]:
    """What designates the person of a row, one probe per kind of identifier."""
    kinds: dict[str, list[Column]] = {}
    for column in table.person_keys:
        kinds.setdefault(str(column.identifier_type), []).append(column)
    return [
        Probe(kind, first_filled(c.lake_name for c in columns), _rank(columns[0])) for kind, columns in kinds.items()
    ]


def mentions(table: Table, types: Collection[str]) -> list[Column]:
    """Columns that may hold the pseudonym of somebody else than the row's person."""
    first = {str(column.identifier_type): column for column in reversed(table.person_keys)}
    return [c for c in table.lake_columns if c.identifier_type in types and c is not first.get(str(c.identifier_type))]


def person_types(datasets: Collection[Dataset]) -> frozenset[str]:
    """Kinds of identifier that designate persons in any dataset."""
    return frozenset(str(c.identifier_type) for d in datasets for t in d.tables for c in t.person_keys)


def within(deliveries: Iterable[str]) -> str:
    """Condition on the rows of these deliveries; ids are written out so that files of others are not opened."""
    ids = ", ".join(f"'{delivery}'::UUID" for delivery in sorted(deliveries))
    return f"_delivery IN ({ids})" if ids else "false"


def owned_sql(dataset: Dataset, table: Table, above: frozenset[str] = frozenset()) -> str | None:
    """Condition on the rows of opposed persons; None for a table about nobody.

    A row whose rank is unknown may be the opposed person's: it goes. One with another rank is a twin's: it stays.
    """
    own = owners(table)
    conditions = [_owned(probe, dataset.id) for probe in own]
    if not any(column.is_always_filled for column in table.person_keys):
        paths = list(_by_parents(dataset, table, above | {table.lake_name}))
        unknown = [f"{probe.value} IS NULL" for probe in own]
        conditions += [" AND ".join([*unknown, path]) for path in paths]
    return " OR ".join(f"({condition})" for condition in conditions) or None


def mentioned_sql(column: Column, dataset: Dataset) -> str:
    """Condition on the rows where this column mentions an opposed person."""
    return f"{quoted(column.lake_name)} IN ({_keys(str(column.identifier_type), dataset.id)})"


def found_sql(dataset: Dataset, table: Table, probe: Probe, where: str) -> str:
    """Oppositions and deliveries of the rows the probe finds: `(number, period, delivery)`."""
    rank = f"AND (k_rank = '' OR {probe.rank} IS NULL OR {probe.rank} = k_rank)" if probe.rank else ""
    return (
        f"SELECT DISTINCT k_number, _period, _delivery FROM {table_sql(dataset, table)} JOIN opposed_key "
        f"ON k_pseudonym = {probe.value} AND k_type = {literal(probe.identifier_type)} {rank} "
        f"AND {_in_scope(dataset.id)} WHERE {where}"
    )


def learnt_sql(dataset: Dataset, table: Table, shared: Collection[str], where: str) -> Iterator[str]:
    """Queries over the keys that rows of opposed persons hold: `(number, type, pseudonym, rank)`.

    An identifier that twins share teaches nothing without its rank, and is not learnt without it.
    """
    for known in owners(table):
        for new in owners(table):
            is_usable = new.rank or (new.identifier_type not in shared and new != known)
            if not is_usable:
                continue
            rank = f"AND (k_rank = '' OR k_rank = {known.rank})" if known.rank else ""
            if not known.rank and known.identifier_type in shared:
                rank = "AND k_rank = ''"
            yield (
                f"SELECT DISTINCT k_number, {literal(new.identifier_type)}, {new.value}, {new.rank or literal('')} "
                f"FROM {table_sql(dataset, table)} JOIN opposed_key ON k_pseudonym = {known.value} "
                f"AND k_type = {literal(known.identifier_type)} {rank} "
                f"WHERE {where} AND {new.value} IS NOT NULL AND {new.rank or literal('')} IS NOT NULL"
            )


def _owned(probe: Probe, dataset: str) -> str:
    keys = _keys(probe.identifier_type, dataset)
    if not probe.rank:
        return f"{probe.value} IN ({keys})"
    ranked = keys.replace("SELECT k_pseudonym", "SELECT k_pseudonym, unnest([k_rank, ''])", 1)
    return (
        f"{probe.value} IN ({keys} AND k_rank = '') "
        f"OR ({probe.value}, coalesce({probe.rank}, '')) IN ({ranked} AND k_rank <> '')"
    )


def _by_parents(dataset: Dataset, table: Table, above: frozenset[str]) -> Iterator[str]:
    for key in table.foreign_keys:
        parent = dataset.by_name[key.table.lower()]
        owned = owned_sql(dataset, parent, above) if parent.lake_name not in above else None
        if owned:
            types = [parent.by_name[name.lower()].duckdb_type for name in key.target_columns]
            mine = ", ".join(f"TRY_CAST({quoted(n.lower())} AS {t})" for n, t in zip(key.columns, types, strict=True))
            theirs = ", ".join(quoted(name.lower()) for name in key.target_columns)
            yield f"(_delivery, {mine}) IN (SELECT _delivery, {theirs} FROM {table_sql(dataset, parent)} WHERE {owned})"


def _rank(column: Column) -> str:
    if not column.told_apart_by:
        return ""
    name = quoted(column.told_apart_by.lower())
    return f"coalesce(CAST(TRY_CAST({name} AS BIGINT) AS VARCHAR), CAST({name} AS VARCHAR))"


def _keys(identifier_type: str, dataset: str) -> str:
    return f"SELECT k_pseudonym FROM opposed_key WHERE k_type = {literal(identifier_type)} AND {_in_scope(dataset)}"


def _in_scope(dataset: str) -> str:
    return f"(len(k_datasets) = 0 OR list_contains(k_datasets, {literal(dataset)}))"
