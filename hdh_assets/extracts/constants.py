"""Columns that hold one value in a whole lake table, known from the bounds DuckLake keeps: no row is read.

A third of a CDM table's columns are empty or the same everywhere; an extract neither reads nor sorts those.
"""

from __future__ import annotations

import duckdb

from hdh_assets.core.keys import LakeTable
from resources.lake import ALIAS, METADATA

_VALID = "seen.id >= {0}.begin_snapshot AND seen.id < coalesce({0}.end_snapshot, seen.id + 1)"
"""Whether a row of the catalogue is true at the connection's snapshot."""


def constant_columns(engine: duckdb.DuckDBPyConnection, table: LakeTable) -> dict[str, int | None]:
    """The value, by column, where every row has the same: a whole number, or None for a column that is wholly null.

    A column left out may be constant all the same: bounds of other types may be cut short, and old files may lack them.
    """
    rows = engine.execute(
        f"""
        WITH bounds AS (
            SELECT
                col.column_name,
                starts_with(col.column_type, 'int') AS is_integer,
                stats.null_count,
                file.record_count,
                stats.min_value,
                stats.max_value
            FROM {ALIAS}.current_snapshot() AS seen
            JOIN {METADATA}.ducklake_schema AS domain ON {_VALID.format("domain")}
            JOIN {METADATA}.ducklake_table AS named
                ON named.schema_id = domain.schema_id AND {_VALID.format("named")}
            JOIN {METADATA}.ducklake_column AS col ON col.table_id = named.table_id AND {_VALID.format("col")}
            JOIN {METADATA}.ducklake_data_file AS file ON file.table_id = named.table_id AND {_VALID.format("file")}
            LEFT JOIN {METADATA}.ducklake_file_column_stats AS stats
                ON stats.data_file_id = file.data_file_id AND stats.column_id = col.column_id
            WHERE domain.schema_name = ? AND named.table_name = ? AND col.parent_column IS NULL
        )
        SELECT
            column_name,
            bool_and(null_count IS NOT DISTINCT FROM record_count) AS is_null,
            min(min_value) AS value
        FROM bounds
        GROUP BY column_name
        HAVING
            is_null
            OR bool_and(is_integer AND null_count = 0 AND min_value IS NOT NULL)
            AND count(DISTINCT min_value) = 1 AND min(min_value) = min(max_value) AND min(max_value) = max(max_value)
        """,
        [table.schema, table.name],
    ).fetchall()
    return {column: None if is_null else int(value) for column, is_null, value in rows}
