"""Profiles of deliveries, kept in the lake so that each delivery is measured once, whatever the history.

`catalog.table_profile` has one row per delivery and table (rows, first and last month of events),
`catalog.column_profile` one per delivery and column (rows where it is filled, with a value that does not mean missing),
`catalog.profiled` one per delivery: the state it was measured in. A delivery is measured anew when other rows of it
were loaded, never for persons who objected: the difference would tell what was theirs (`docs/adr/0008`).
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.small_counts import SMALL_CELL
from hdh_assets.core.sql_text import first_filled
from hdh_assets.sources.intake.row_rules import filled_sql
from resources.lake import transaction
from resources.lake_tables import table_sql

TABLES = "lake.catalog.table_profile"
COLUMNS = "lake.catalog.column_profile"
PROFILED = "lake.catalog.profiled"
_CURRENT = """
    SELECT delivery_id, period,
        concat_ws(' ', 'months by declared date', descriptor_version, row_count, rejected_count) AS state
    FROM lake.meta.delivery
    WHERE dataset = $dataset AND status = 'current'
"""
"""The words are what is told of events: profiles that were made otherwise are made anew."""


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
    engine.execute(f"CREATE TABLE IF NOT EXISTS {PROFILED} (dataset VARCHAR, delivery_id UUID, state VARCHAR)")


def update_profiles(engine: duckdb.DuckDBPyConnection, dataset: Dataset) -> int:
    """Measure the current deliveries not measured as they are, forget all others; how many were measured."""
    values = {"dataset": dataset.id}
    engine.execute(f"CREATE OR REPLACE TEMP TABLE present AS {_CURRENT}", values)
    same = f"SELECT delivery_id FROM present SEMI JOIN {PROFILED} USING (delivery_id, state)"
    new = engine.execute(
        f"SELECT delivery_id, period, state FROM present WHERE delivery_id NOT IN ({same}) ORDER BY period"
    ).fetchall()
    with transaction(engine):
        for profile in (TABLES, COLUMNS, PROFILED):
            engine.execute(f"DELETE FROM {profile} WHERE dataset = $dataset AND delivery_id NOT IN ({same})", values)
        if new:
            ids = ", ".join(f"'{delivery}'" for delivery, _, _ in new)
            periods = sorted({period for _, period, _ in new})
            for table in dataset.tables:
                _measure(engine, dataset, table, ids, periods)
            engine.execute(
                f"INSERT INTO {PROFILED} SELECT $dataset, delivery_id, state FROM present "
                f"WHERE delivery_id NOT IN ({same})",
                values,
            )
    return len(new)


def _measure(
    engine: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table, ids: str, periods: Iterable[str]
) -> None:
    """Scans of the deliveries' own files: `_period` and `_delivery` prune the others."""
    source = table_sql(dataset, table)
    columns = {column.lake_name: filled_sql(column, dataset.format) for column in table.lake_columns}
    listed = ", ".join(f"'{period}'" for period in periods)
    filled = ", ".join(f"count({value}) AS c{position}" for position, value in enumerate(columns.values()))
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE measured AS SELECT _delivery, count(*) AS n, {filled} FROM {source} "
        f"WHERE _period IN ({listed}) AND _delivery IN ({ids}) GROUP BY _delivery"
    )
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE covered AS SELECT _delivery, min(month) AS first, max(month) AS last FROM "
        f"(SELECT _delivery, date_trunc('month', {_event_day(dataset, table)})::DATE AS month FROM {source} "
        f"WHERE _period IN ({listed}) AND _delivery IN ({ids}) GROUP BY 1, 2 "
        f"HAVING {_is_told(dataset, table)}) GROUP BY _delivery"
    )
    engine.execute(
        f"INSERT INTO {TABLES} SELECT ?, _delivery, ?, coalesce(n, 0), first, last "
        f"FROM (SELECT unnest([{ids}]::UUID[]) AS _delivery) LEFT JOIN measured USING (_delivery) "
        "LEFT JOIN covered USING (_delivery)",
        [dataset.id, table.lake_name],
    )
    names = ", ".join(f"'{name}'" for name in columns)
    counts = ", ".join(f"c{position}" for position in range(len(columns)))
    engine.execute(
        f"INSERT INTO {COLUMNS} SELECT ?, _delivery, ?, unnest([{names}]), unnest([{counts}]) FROM measured",
        [dataset.id, table.lake_name],
    )


def _is_told(dataset: Dataset, table: Table) -> str:
    """Condition on a month's rows: about enough persons (rule 48), or about none; no key, no telling how many.

    Somebody known by keys of two kinds would count twice: there are as many persons as one kind alone tells of.
    """
    if not table.person_keys:
        return "true" if dataset.is_open else "false"
    kinds: dict[str | None, list[str]] = {}
    for column in table.deciding_keys:
        kinds.setdefault(column.identifier_type, []).append(column.lake_name)
    counts = ", ".join(f"count(DISTINCT {first_filled(names)})" for names in kinds.values())
    return f"greatest({counts}) >= {SMALL_CELL}"


def _event_day(dataset: Dataset, table: Table) -> str:
    """The day of a row's event as SQL, the first one of its year or month; null where it is missing."""
    column = table.event_column
    if column is None:
        return "CAST(NULL AS DATE)"
    value = filled_sql(column, dataset.format)
    match column.kind:
        case "year":
            return f"try_strptime(lpad(({value})::VARCHAR, 4, '0'), '%Y')::DATE"
        case "yearmonth":
            return f"try_strptime({value}, '%Y%m')::DATE"
        case _:
            return f"({value})::DATE"
