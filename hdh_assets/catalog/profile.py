"""Profiles of deliveries, kept in the lake so that each delivery is measured once, whatever the history.

`catalog.table_profile` has one row per delivery and table (rows, first and last event), `catalog.column_profile` one
per delivery and column (rows where it is filled). Rows of deliveries that are no longer current are removed.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from hdh_assets.core.descriptor import Dataset, Table
from resources.lake import transaction

TABLES = "lake.catalog.table_profile"
COLUMNS = "lake.catalog.column_profile"
_CURRENT = "SELECT delivery_id FROM lake.meta.delivery WHERE dataset = $dataset AND status = 'current'"


def ensure_profiles(engine: duckdb.DuckDBPyConnection) -> None:
    """Create the tables when missing."""
    engine.execute("CREATE SCHEMA IF NOT EXISTS lake.catalog")
    engine.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLES} (dataset VARCHAR, delivery_id UUID, table_name VARCHAR, "
        "row_count BIGINT, first_event DATE, last_event DATE)"
    )
    engine.execute(
        f"CREATE TABLE IF NOT EXISTS {COLUMNS} (dataset VARCHAR, delivery_id UUID, table_name VARCHAR, "
        "column_name VARCHAR, filled_count BIGINT)"
    )


def update_profiles(engine: duckdb.DuckDBPyConnection, dataset: Dataset) -> int:
    """Measure the current deliveries not measured yet, forget those no longer current; how many were measured."""
    values = {"dataset": dataset.id}
    new = engine.execute(
        f"SELECT delivery_id, period FROM lake.meta.delivery WHERE dataset = $dataset AND status = 'current' "
        f"AND delivery_id NOT IN (SELECT delivery_id FROM {TABLES} WHERE dataset = $dataset) ORDER BY period",
        values,
    ).fetchall()
    with transaction(engine):
        for profile in (TABLES, COLUMNS):
            engine.execute(
                f"DELETE FROM {profile} WHERE dataset = $dataset AND delivery_id NOT IN ({_CURRENT})", values
            )
        if new:
            ids = ", ".join(f"'{delivery}'" for delivery, _ in new)
            periods = sorted({period for _, period in new})
            for table in dataset.tables:
                _measure(engine, dataset, table, ids, periods)
    return len(new)


def _measure(
    engine: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table, ids: str, periods: Iterable[str]
) -> None:
    """One scan of the deliveries' own files: `_period` and `_delivery` prune the others."""
    source = f'lake."{dataset.id}"."{table.lake_name}"'
    columns = [column.lake_name for column in table.lake_columns]
    event = f'try_cast("{table.event_date.lower()}" AS DATE)' if table.event_date else "CAST(NULL AS DATE)"
    listed = ", ".join(f"'{period}'" for period in periods)
    filled = ", ".join(f'count("{name}") AS c{position}' for position, name in enumerate(columns))
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE measured AS SELECT _delivery, count(*) AS n, min({event}) AS first, "
        f"max({event}) AS last, {filled} FROM {source} "
        f"WHERE _period IN ({listed}) AND _delivery IN ({ids}) GROUP BY _delivery"
    )
    engine.execute(
        f"INSERT INTO {TABLES} SELECT ?, id, ?, coalesce(n, 0), first, last "
        f"FROM (SELECT unnest([{ids}]::UUID[]) AS id) LEFT JOIN measured ON _delivery = id",
        [dataset.id, table.lake_name],
    )
    names = ", ".join(f"'{name}'" for name in columns)
    counts = ", ".join(f"c{position}" for position in range(len(columns)))
    engine.execute(
        f"INSERT INTO {COLUMNS} SELECT ?, _delivery, ?, unnest([{names}]), unnest([{counts}]) FROM measured",
        [dataset.id, table.lake_name],
    )
