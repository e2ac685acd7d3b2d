"""Keeping the lake small: merge small files, expire snapshots nobody pins, remove files nothing refers to.

Which snapshots may go is a pure choice; releases pin theirs, and extracts are made from releases. Only a release that
holds somebody who objected since, once a newer one holds them no more, pins nothing. A snapshot also stays for a while,
for readers that opened it and for looking back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from hdh_assets.core.crash import crash_point
from hdh_assets.core.sql_text import literal
from resources.erasure import erase_removed
from resources.lake import METADATA, Lake, spill_folder, transaction, write_anew
from resources.releases import usable_releases

KEPT = timedelta(days=7)
"""How long an unpinned snapshot stays."""
REWRITTEN_FROM = 0.5
"""Share of a file's rows that are deleted from which the file is written anew without them."""
ORPHANS_KEPT = timedelta(days=1)
"""How long a file stays that no snapshot refers to."""
REGISTER_FILES = 200
"""Files of the register that do not wait for the night: each delivery adds one and reads those of its dataset."""
DEAD_FILES = 5
"""Files of a table, mostly deleted rows, that do not wait for the night: each flux would go through them again."""


@dataclass(frozen=True)
class Snapshot:
    """One state of the lake."""

    id: int
    made_at: datetime


@dataclass(frozen=True)
class Maintenance:
    """What was done."""

    snapshots_expired: int
    snapshots_kept: int
    files_before: int
    files_after: int


def expirable(
    snapshots: Iterable[Snapshot], pinned: Collection[int], *, now: datetime, kept: timedelta = KEPT
) -> list[int]:
    """Snapshots that may be expired: neither pinned, nor the newest, nor younger than `kept`."""
    ordered = sorted(snapshots, key=lambda snapshot: snapshot.id)
    return [s.id for s in ordered[:-1] if s.id not in pinned and now - s.made_at > kept]


def maintain(lake: Lake, *, kept: timedelta = KEPT, now: datetime | None = None) -> Maintenance:
    """Compact and clean the lake, holding the writer lock. Safe to interrupt and to repeat.

    With a PostgreSQL catalogue somebody else may change a table meanwhile: what writes it anew is then left for the
    next night, and the rest is done.
    """
    at = now or datetime.now(UTC)
    with spill_folder(lake.home, "maintenance") as spill, lake.writer(spill=spill) as engine:
        pinned = pins(engine)
        before = _count_files(engine)
        with suppress(duckdb.TransactionException):
            erase_removed(engine)
        # files with deleted rows are not merged; those that are mostly deleted rows are written anew first
        for function in (
            f"ducklake_rewrite_data_files('lake', delete_threshold => {REWRITTEN_FROM})",
            "ducklake_merge_adjacent_files('lake')",
        ):
            with suppress(duckdb.TransactionException):
                write_anew(engine, function)
        crash_point("maintenance.merged")
        snapshots = _snapshots(engine)
        expired = expirable(snapshots, pinned, now=at, kept=kept)
        if expired:
            engine.execute(f"CALL ducklake_expire_snapshots('lake', versions => {expired})")
        crash_point("maintenance.expired")
        engine.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
        # what a killed writer wrote and never committed; young files may belong to one that is still writing
        engine.execute(f"CALL ducklake_delete_orphaned_files('lake', older_than => TIMESTAMPTZ '{at - ORPHANS_KEPT}')")
        crash_point("maintenance.cleaned")
        done = Maintenance(len(expired), len(snapshots) - len(expired), before, _count_files(engine))
    _shrink_catalog(lake)
    return done


def merge_register(lake: Lake) -> bool:
    """Merge the files of the register of deliveries when a backlog has left many; whether it was done.

    With a PostgreSQL catalogue somebody else may change the register meanwhile: it is then left for another time.
    """
    with lake.reader() as engine:
        files = engine.execute("SELECT count(*) FROM ducklake_list_files('lake', 'registration', schema => 'meta')")
        if files.fetchall()[0][0] <= REGISTER_FILES:
            return False
    with spill_folder(lake.home, "maintenance") as spill, lake.writer(spill=spill) as engine:
        try:
            engine.execute("CALL ducklake_merge_adjacent_files('lake', 'registration', schema => 'meta')")
        except duckdb.TransactionException:
            return False
    return True


def rewrite_dead_files(engine: duckdb.DuckDBPyConnection, schemas: Collection[str]) -> list[tuple[str, str]]:
    """Write tables of these schemas anew as far as they are many files of mostly deleted rows; schema and name of each.

    To be called on a connection that may write. What it costs is in proportion to what was deleted since the last time.
    With a PostgreSQL catalogue somebody else may change such a table meanwhile: it is then left for another time.
    """
    tables = engine.execute(
        f"SELECT domain.schema_name, named.table_name FROM {METADATA}.ducklake_data_file AS file "
        f"JOIN {METADATA}.ducklake_delete_file AS deleted "
        "ON deleted.data_file_id = file.data_file_id AND deleted.end_snapshot IS NULL "
        f"JOIN {METADATA}.ducklake_table AS named ON named.table_id = file.table_id AND named.end_snapshot IS NULL "
        f"JOIN {METADATA}.ducklake_schema AS domain "
        "ON domain.schema_id = named.schema_id AND domain.end_snapshot IS NULL "
        f"WHERE file.end_snapshot IS NULL AND deleted.delete_count >= {REWRITTEN_FROM} * file.record_count "
        f"AND domain.schema_name IN ({', '.join(map(literal, schemas))}) "
        f"GROUP BY ALL HAVING count(*) >= {DEAD_FILES} ORDER BY ALL"
    ).fetchall()
    if not tables:
        return []
    try:
        with transaction(engine):
            for schema, table in tables:
                engine.execute(
                    f"CALL ducklake_rewrite_data_files('lake', {literal(table)}, schema => {literal(schema)}, "
                    f"delete_threshold => {REWRITTEN_FROM})"
                )
    except duckdb.TransactionException:
        return []
    return tables


def _shrink_catalog(lake: Lake) -> None:
    """Write the embedded catalogue anew: pages it no longer uses still hold bounds of files that are gone.

    Left for the next night while somebody reads.
    """
    if lake.is_embedded:
        with (
            lake.writer_lock(),
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(lake.catalog_file)) as file,
        ):
            file.execute("VACUUM")
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def pins(engine: duckdb.DuckDBPyConnection) -> set[int]:
    """Snapshots of the releases that are not retired."""
    return {release.snapshot_id for release in usable_releases(engine)}


def _snapshots(engine: duckdb.DuckDBPyConnection) -> list[Snapshot]:
    rows = engine.execute("SELECT snapshot_id, snapshot_time FROM ducklake_snapshots('lake')").fetchall()
    return [Snapshot(int(number), made_at) for number, made_at in rows]


def _count_files(engine: duckdb.DuckDBPyConnection) -> int:
    found = engine.execute("SELECT coalesce(sum(file_count), 0) FROM ducklake_table_info('lake')").fetchall()
    return int(found[0][0])
