"""Measuring a dataset on the lake: profiles of its deliveries summed, persons counted, receipts summed up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC

import duckdb

from hdh_assets.catalog.entry import DeliveryEntry, Entry, TableEntry, now, read_entries
from hdh_assets.catalog.profile import COLUMNS, TABLES, ensure_profiles, update_profiles
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.digests import short
from hdh_assets.core.small_counts import is_small
from hdh_assets.core.sql_text import first_filled
from resources.lake_tables import ensure_tables, table_sql
from resources.releases import newest_in


def measure(engine: duckdb.DuckDBPyConnection, dataset: Dataset) -> Entry:
    """The entry of the dataset as it was delivered; profiles new deliveries on the way. Needs a writer.

    Nothing in it moves for persons who objected, before the next delivery comes in: see `docs/adr/0008`.
    """
    ensure_tables(engine, {dataset.id: dataset})
    ensure_profiles(engine)
    update_profiles(engine, dataset)
    deliveries, rejected = _deliveries(engine, dataset)
    before = read_entries(engine).get(dataset.id)
    counted = before if before and _loaded(before.deliveries) == _loaded(deliveries) else None
    rows: Counter[str] = Counter()
    for delivery in deliveries:
        rows.update(delivery.rows_by_table)
    tables = {
        table.lake_name: _table(engine, dataset, table, rows[table.lake_name], counted) for table in dataset.tables
    }
    return Entry(
        dataset=dataset.id,
        release=newest.number if (newest := newest_in(engine)) else None,
        measured_at=now(),
        rows=sum(t.rows for t in tables.values()),
        persons=counted.persons if counted else _persons(engine, dataset, dataset.tables),
        first_event=min((t.first_event for t in tables.values() if t.first_event), default=None),
        last_event=max((t.last_event for t in tables.values() if t.last_event), default=None),
        tables=tables,
        deliveries=deliveries,
        rejected_by_rule=rejected,
    )


def _loaded(deliveries: Iterable[DeliveryEntry]) -> list[DeliveryEntry]:
    """What was loaded, whenever that was."""
    return [delivery.model_copy(update={"loaded_at": ""}) for delivery in deliveries]


def _table(
    engine: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table, rows: int, counted: Entry | None
) -> TableEntry:
    """`counted` is the former entry where it told of the same deliveries: persons are as many as then."""
    where = "WHERE dataset = ? AND table_name = ?"
    names = [dataset.id, table.lake_name]
    profiled, first, last = engine.execute(
        "SELECT coalesce(sum(row_count), 0), strftime(min(first_event), '%Y-%m'), "
        f"strftime(max(last_event), '%Y-%m') FROM {TABLES} {where}",
        names,
    ).fetchall()[0]
    filled = dict(
        engine.execute(
            f"SELECT column_name, sum(filled_count) FROM {COLUMNS} {where} GROUP BY column_name", names
        ).fetchall()
    )
    known = counted.tables.get(table.lake_name) if counted else None
    persons = known.persons if known else _persons(engine, dataset, (table,))
    return TableEntry(
        rows=rows,
        persons=persons,
        first_event=first,
        last_event=last,
        completeness=_completeness(table, filled, int(profiled), is_personal=persons is not None),
    )


def _completeness(table: Table, filled: dict[str, int], rows: int, *, is_personal: bool) -> dict[str, float]:
    """Share of rows where each column is filled; without those that tell of 1 to 10 rows about persons (rule 48)."""
    counts = {column.lake_name: int(filled.get(column.lake_name, 0)) for column in table.lake_columns}
    return {
        name: round(count / rows, 4)
        for name, count in counts.items()
        if rows and not (is_personal and (is_small(count) or is_small(rows - count)))
    }


def _persons(engine: duckdb.DuckDBPyConnection, dataset: Dataset, tables: tuple[Table, ...]) -> int | None:
    """Distinct pseudonyms that say whose the rows of these tables are; None when none designates a person."""
    keys = [
        f"SELECT DISTINCT {first_filled(column.lake_name for column in table.deciding_keys)} AS person "
        f"FROM {table_sql(dataset, table)}"
        for table in tables
        if table.person_keys
    ]
    if not keys:
        return None
    found = engine.execute(f"SELECT count(DISTINCT person) FROM ({' UNION ALL '.join(keys)})").fetchall()
    return int(found[0][0])


def _deliveries(
    engine: duckdb.DuckDBPyConnection, dataset: Dataset
) -> tuple[tuple[DeliveryEntry, ...], dict[str, int]]:
    """Current deliveries in period order, and rows concerned by rule over all of them.

    Rows are those that were loaded, as in receipts: beside those the lake has now, they would tell how many are of
    people who objected.
    """
    found = engine.execute(
        "SELECT period, row_count, rejected_count, loaded_at, digest, receipt FROM lake.meta.delivery "
        "WHERE dataset = ? AND status = 'current' ORDER BY period",
        [dataset.id],
    ).fetchall()
    rejected: Counter[str] = Counter()
    deliveries = []
    for period, loaded, refused, loaded_at, digest, receipt in found:
        given = json.loads(receipt or "{}")
        tables = given.get("tables", {})
        for counts in tables.values():
            rejected.update(counts.get("by_rule", {}))
        deliveries.append(
            DeliveryEntry(
                period=period,
                rows=loaded,
                rejected=refused,
                # of the receipt: what came back after an opposition was loaded again, and would tell where somebody is
                loaded_at=given.get("finished_at") or loaded_at.astimezone(UTC).isoformat(),
                digest=short(digest),
                rows_by_table={name: counts["rows"] for name, counts in sorted(tables.items())},
            )
        )
    return tuple(deliveries), dict(rejected.most_common())
