"""Releases: lake snapshots on which every blocking check passed.

A release is a row of `meta.release` that names a snapshot; extracts read releases, never the moving head.
Here: making, listing and finding them. Which checks block is decided by the caller.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from hdh_assets.core.crash import crash_point
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.keys import LakeTable
from resources.erasure import erase_removed
from resources.lake import Lake, has_table, spill_folder, transaction
from resources.registry import DELIVERED, Registry
from resources.removals import check_followed, retired

_COLUMNS = "number, snapshot_id, created_at, code_commit, contents, checks"


class NotReadyError(RefusedError):
    """A delivery came in since OMOP was made: a release would show the one without the other."""


@dataclass(frozen=True)
class Release:
    """One release: the snapshot, when, by which code, what it holds and the checks it passed.

    `contents` has `deliveries` (dataset → list of {period, digest, loaded_at}), `rows` (table → count) and `rules`;
    `checks` has counts of those passed, by kind.
    """

    number: int
    snapshot_id: int
    created_at: datetime
    code_commit: str
    contents: dict[str, Any]
    checks: dict[str, Any]


def list_releases(lake: Lake) -> list[Release]:
    """Every release, oldest first; none when the lake has none yet."""
    with lake.reader() as engine:
        return releases_in(engine)


def usable_releases(engine: duckdb.DuckDBPyConnection) -> list[Release]:
    """Releases that were not retired, oldest first. The others hold somebody who objected since."""
    gone = retired(engine)
    return [release for release in releases_in(engine) if release.number not in gone]


def latest(lake: Lake) -> Release | None:
    """The newest release, or None when there is none or it was retired and the next one is not made yet."""
    with lake.reader() as engine:
        newest, gone = newest_in(engine), retired(engine)
    return newest if newest and newest.number not in gone else None


def find(lake: Lake, number: int | None = None) -> Release:
    """The release of that number, the newest when None.

    Raises `HubError` when there is none, `RefusedError` when it was retired.
    """
    with lake.reader() as engine:
        return find_in(engine, number)


def find_in(engine: duckdb.DuckDBPyConnection, number: int | None = None) -> Release:
    """As `find`, on a connection to the lake's head."""
    releases, gone = {release.number: release for release in releases_in(engine)}, retired(engine)
    if not releases:
        raise HubError("there is no release yet", remedy="deliver data, then run `hdh tick`")
    wanted = max(releases) if number is None else number
    if wanted not in releases:
        raise HubError(f"there is no release {wanted}", remedy=f"choose one from {min(releases)} to {max(releases)}")
    if wanted in gone:
        raise RefusedError(
            f"release {wanted} was retired: it holds somebody who objected since",
            remedy="use a later one (`hdh release list`); `hdh tick` makes the next when there is none",
        )
    return releases[wanted]


def make_release(
    lake: Lake,
    *,
    checks: dict[str, Any],
    oppositions: int = 0,
    rules: str = "",
    above: int = 0,
    is_ready: Callable[[duckdb.DuckDBPyConnection], bool] = lambda _: True,
) -> Release:
    """Make the lake's present state a release, unless the newest release already has the same contents.

    `checks` holds counts of passed, failed and warned checks. `oppositions` is the revision recorded in the registry.
    `rules` is the fingerprint of what OMOP was made by (`hdh_assets.standard.state`): other vocabularies may give as
    many rows. `above` is the greatest number that extracts were made from: the release is numbered above it, even in a
    lake that was restored from a backup and does not know it.

    Raises `RefusedError` when a blocking check failed or when the lake, OMOP included, does not follow that revision;
    `NotReadyError` when `is_ready` denies it of the very state to be released.
    """
    if checks.get("failed"):
        raise RefusedError(
            f"no release: {checks['failed']} blocking check(s) failed: {', '.join(checks.get('failures', []))}",
            remedy="look at the failed checks of the run, correct the delivery or the rule, and run `hdh tick`",
        )
    with spill_folder(lake.home, "release") as spill, lake.writer(spill=spill) as engine:
        _ensure_table(engine)
        check_followed(engine, oppositions, is_standardised=True)
        if known := _unchanged(engine, rules):
            return known
        erase_removed(engine)
        crash_point("release.before_number")
        # one transaction: what is counted is what the snapshot holds, whoever commits meanwhile
        with transaction(engine):
            if not is_ready(engine):
                raise NotReadyError("no release: OMOP does not hold all that was delivered; it follows once it does")
            release = _next(engine, checks, rules, above)
            engine.execute(f"INSERT INTO lake.meta.release ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", _row(release))
            crash_point("release.before_commit")
    crash_point("release.after_commit")
    return release


def greatest_delivered(registry: Registry) -> int:
    """The greatest number of a release that an extract was ever made from; 0 when there is none."""
    return max((event.said("basis.release", int) for event in registry.events(DELIVERED)), default=0)


def _unchanged(engine: duckdb.DuckDBPyConnection, rules: str) -> Release | None:
    """The newest release, if it may still be read and shows the lake as it is, by the code that runs."""
    newest = newest_in(engine)
    if newest is None or newest.number in retired(engine) or newest.code_commit != code_commit():
        return None
    known = newest.contents
    # rows are counted last: after a delivery they need not be
    is_known = known.get("rules") == rules and known["deliveries"] == _deliveries(engine)
    return newest if is_known and known["rows"] == _row_counts(engine) else None


def _next(engine: duckdb.DuckDBPyConnection, checks: dict[str, Any], rules: str, above: int) -> Release:
    """The release of the present state."""
    newest = newest_in(engine)
    snapshot = engine.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchall()[0][0]
    return Release(
        number=max(above, newest.number if newest else 0) + 1,
        snapshot_id=int(snapshot),
        created_at=datetime.now(UTC).replace(microsecond=0),
        code_commit=code_commit(),
        contents={"deliveries": _deliveries(engine), "rows": _row_counts(engine), "rules": rules},
        checks=checks,
    )


def _ensure_table(engine: duckdb.DuckDBPyConnection) -> None:
    engine.execute("CREATE SCHEMA IF NOT EXISTS lake.meta")
    engine.execute(
        "CREATE TABLE IF NOT EXISTS lake.meta.release (number INTEGER NOT NULL, snapshot_id BIGINT NOT NULL, "
        "created_at TIMESTAMPTZ NOT NULL, code_commit VARCHAR NOT NULL, contents VARCHAR NOT NULL, "
        "checks VARCHAR NOT NULL)"
    )


def releases_in(engine: duckdb.DuckDBPyConnection) -> list[Release]:
    """As `list_releases`, on a connection to the lake's head."""
    return _read(engine, "ORDER BY number")


def newest_in(engine: duckdb.DuckDBPyConnection) -> Release | None:
    """The newest release, retired or not; None when there is none."""
    return next(iter(_read(engine, "ORDER BY number DESC LIMIT 1")), None)


def _read(engine: duckdb.DuckDBPyConnection, order: str) -> list[Release]:
    if not has_table(engine, "meta", "release"):
        return []
    rows = engine.execute(f"SELECT {_COLUMNS} FROM lake.meta.release {order}").fetchall()
    return [
        Release(n, s, at, commit, json.loads(contents), json.loads(checks))
        for n, s, at, commit, contents, checks in rows
    ]


def _row(release: Release) -> list[Any]:
    return [
        release.number,
        release.snapshot_id,
        release.created_at,
        release.code_commit,
        json.dumps(release.contents, sort_keys=True),
        json.dumps(release.checks, sort_keys=True),
    ]


def _deliveries(engine: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    if has_table(engine, "meta", "delivery"):
        for dataset, period, digest, loaded_at in engine.execute(
            "SELECT dataset, period, digest, loaded_at FROM lake.meta.delivery WHERE status = 'current' ORDER BY ALL"
        ).fetchall():
            loaded = loaded_at.astimezone(UTC).isoformat()
            found.setdefault(dataset, []).append({"period": period, "digest": digest, "loaded_at": loaded})
    return found


def _row_counts(engine: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of each table that people read, as `schema.table`."""
    tables = engine.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'lake' "
        "AND schema_name NOT IN ('meta', 'staging', 'catalog', 'main') ORDER BY ALL"
    ).fetchall()
    named = [LakeTable(schema, table) for schema, table in tables]
    return {str(each): int(engine.execute(f"SELECT count(*) FROM {each.sql}").fetchall()[0][0]) for each in named}


@cache
def code_commit() -> str:
    """Commit of the checkout the hub runs from, with `+` when changed; the package version outside a checkout."""
    folder = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        answer = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
        return answer.stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return version("health-data-hub")
