"""Measuring a dataset on the lake: profiles of its deliveries summed, persons counted, receipts summed up."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC
from uuid import UUID

import duckdb

from hdh_assets.catalog.entry import DeliveryEntry, Entry, TableEntry, now
from hdh_assets.catalog.profile import COLUMNS, TABLES, ensure_profiles, update_profiles
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.digests import short
from hdh_assets.core.small_counts import is_small
from resources.lake import has_table


def measure(engine: duckdb.DuckDBPyConnection, dataset: Dataset) -> Entry:
    """The entry of the dataset as the lake stands; profiles new deliveries on the way. Needs a writer."""
    ensure_profiles(engine)
    update_profiles(engine, dataset)
    tables = {table.lake_name: _table(engine, dataset, table) for table in dataset.tables}
    first = [t.first_event for t in tables.values() if t.first_event]
    last = [t.last_event for t in tables.values() if t.last_event]
    deliveries, rejected = _deliveries(engine, dataset)
    return Entry(
        dataset=dataset.id,
        release=_release(engine),
        measured_at=now(),
        rows=sum(t.rows for t in tables.values()),
        persons=_persons(engine, dataset, dataset.tables),
        first_event=min(first, default=None),
        last_event=max(last, default=None),
        tables=tables,
        deliveries=deliveries,
        rejected_by_rule=rejected,
    )


def _table(engine: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table) -> TableEntry:
    where = "WHERE dataset = ? AND table_name = ?"
    names = [dataset.id, table.lake_name]
    found = engine.execute(
        f"SELECT coalesce(sum(row_count), 0), min(first_event)::VARCHAR, max(last_event)::VARCHAR "
        f"FROM {TABLES} {where}",
        names,
    ).fetchall()
    rows, first, last = found[0]
    filled = dict(
        engine.execute(
            f"SELECT column_name, sum(filled_count) FROM {COLUMNS} {where} GROUP BY column_name", names
        ).fetchall()
    )
    persons = _persons(engine, dataset, (table,))
    return TableEntry(
        rows=int(rows),
        persons=persons,
        first_event=first,
        last_event=last,
        completeness=_completeness(table, filled, int(rows), is_personal=persons is not None),
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
    """Distinct pseudonyms designated by the first person key of these tables; None when none designates a person."""
    keys = [
        f'SELECT DISTINCT "{table.person_keys[0].lake_name}" AS person FROM lake."{dataset.id}"."{table.lake_name}"'
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

    Rows are those the lake has now: beside those that were loaded, they would tell how many are of people who objected.
    """
    found = engine.execute(
        "SELECT delivery_id, period, rejected_count, loaded_at, digest, receipt FROM lake.meta.delivery "
        "WHERE dataset = ? AND status = 'current' ORDER BY period",
        [dataset.id],
    ).fetchall()
    rows: dict[UUID, dict[str, int]] = defaultdict(dict)
    for delivery, table, count in engine.execute(
        f"SELECT delivery_id, table_name, row_count FROM {TABLES} WHERE dataset = ? ORDER BY ALL", [dataset.id]
    ).fetchall():
        rows[delivery][table] = count
    rejected: Counter[str] = Counter()
    deliveries = []
    for delivery, period, refused, loaded_at, digest, receipt in found:
        for counts in json.loads(receipt or "{}").get("tables", {}).values():
            rejected.update(counts.get("by_rule", {}))
        deliveries.append(
            DeliveryEntry(
                period=period,
                rows=sum(rows[delivery].values()),
                rejected=refused,
                loaded_at=loaded_at.astimezone(UTC).isoformat(),
                digest=short(digest),
                rows_by_table=rows[delivery],
            )
        )
    return tuple(deliveries), dict(rejected.most_common())


def _release(engine: duckdb.DuckDBPyConnection) -> int | None:
    if not has_table(engine, "meta", "release"):
        return None
    return engine.execute("SELECT max(number) FROM lake.meta.release").fetchall()[0][0]  # type: ignore[no-any-return]
