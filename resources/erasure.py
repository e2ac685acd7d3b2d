"""Taking removed rows off the disk: a deletion only marks them in a file beside, until the file is written anew.

A release pins the files it reads, so files are written anew before it is made: then the release holds no byte of who
objected, and those before it, retired, let go of theirs at the next maintenance.
"""

from __future__ import annotations

import duckdb

from resources.lake import ALIAS, METADATA, write_anew
from resources.removals import Step, followed, note

DERIVED = ("staging", "omop")
"""Schemas whose tables lose rows at every run: their files are written anew for an opposition alone."""
_KEPT = ("meta", "catalog", "main")


def erase_removed(engine: duckdb.DuckDBPyConnection) -> int:
    """Write anew the files that hide rows of persons who objected; how many tables. Can be done again.

    Delivered tables hide no other rows: a delivery that is replaced takes its files with it.
    """
    found = followed(engine)
    if not (found.applied or found.wanted):
        return 0
    is_due = found.applied > found.erased
    tables = [
        (schema, table)
        for schema, table in _with_hidden_rows(engine)
        if schema not in _KEPT and (is_due or schema not in DERIVED)
    ]
    for schema, table in tables:
        write_anew(
            engine, f"ducklake_rewrite_data_files('{ALIAS}', '{table}', schema => '{schema}', delete_threshold => 0.0)"
        )
    if is_due:
        note(engine, found.applied, Step.erased)
    return len(tables)


def _with_hidden_rows(engine: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Tables with files of deletions, as (schema, table)."""
    rows = engine.execute(
        f"""
        SELECT schemas.schema_name, tables.table_name
        FROM {METADATA}.ducklake_delete_file AS deleted
        JOIN {METADATA}.ducklake_table AS tables USING (table_id)
        JOIN {METADATA}.ducklake_schema AS schemas USING (schema_id)
        WHERE deleted.end_snapshot IS NULL AND tables.end_snapshot IS NULL AND schemas.end_snapshot IS NULL
        GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    return [(schema, table) for schema, table in rows]
