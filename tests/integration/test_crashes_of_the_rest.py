"""Release, catalogue entry, maintenance and event log killed at their named points: whole or nothing, and once."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hdh_assets.catalog.entry import Entry, read_entries, write_entry
from hdh_assets.core.home import Home, Settings
from resources.lake import Lake, open_lake, transaction
from resources.maintenance import KEPT, maintain
from resources.registry import Registry
from resources.releases import latest, list_releases, make_release
from tests.children import die, exit_code

LATER = datetime.now(UTC) + KEPT + timedelta(days=1)


def opened(root: Path) -> Lake:
    return open_lake(Home(root), Settings())


def fill(root: Path, rows: int = 100) -> None:
    with opened(root).writer() as engine:
        engine.execute("CREATE SCHEMA IF NOT EXISTS lake.omop")
        engine.execute("CREATE TABLE IF NOT EXISTS lake.omop.person (person_id BIGINT NOT NULL)")
        engine.execute(f"INSERT INTO lake.omop.person SELECT range FROM range({rows})")


def persons(root: Path, snapshot: int | None = None) -> int:
    with opened(root).reader(snapshot=snapshot) as engine:
        return int(engine.execute("SELECT count(*) FROM lake.omop.person").fetchall()[0][0])


def release(root: Path) -> None:
    make_release(opened(root), checks={"passed": 1})


@pytest.mark.parametrize("point", ["release.before_commit", "release.after_commit"])
def test_a_release_is_made_once(tmp_path: Path, point: str) -> None:
    fill(tmp_path)
    die(point, release, tmp_path)
    assert len(list_releases(opened(tmp_path))) == (point == "release.after_commit")
    release(tmp_path)
    (made,) = list_releases(opened(tmp_path))
    assert (made.number, made.contents["rows"], persons(tmp_path, made.snapshot_id)) == (1, {"omop.person": 100}, 100)


def describe(root: Path) -> None:
    with opened(root).writer() as engine:
        write_entry(engine, Entry(dataset="care", measured_at="2024-01-01", rows=persons(root)))


@pytest.mark.parametrize("point", ["catalog.before_commit", "catalog.after_commit"])
def test_a_catalogue_entry_is_the_old_one_or_the_new_one(tmp_path: Path, point: str) -> None:
    fill(tmp_path)
    describe(tmp_path)
    fill(tmp_path)
    die(point, describe, tmp_path)
    with opened(tmp_path).reader() as engine:
        assert read_entries(engine)["care"].rows == (200 if point == "catalog.after_commit" else 100)
        assert engine.execute("SELECT count(*) FROM lake.catalog.entry").fetchall() == [(1,)]


def keep_up(root: Path) -> None:
    maintain(opened(root), now=LATER)


@pytest.mark.parametrize("point", ["maintenance.merged", "maintenance.expired", "maintenance.cleaned"])
def test_maintenance_may_be_interrupted(tmp_path: Path, point: str) -> None:
    for _ in range(3):
        fill(tmp_path)
    release(tmp_path)
    fill(tmp_path)
    die(point, keep_up, tmp_path)
    made = latest(opened(tmp_path))
    assert made is not None
    for _ in range(2):
        assert (persons(tmp_path, made.snapshot_id), persons(tmp_path)) == (300, 400)
        keep_up(tmp_path)


def write_and_die(root: Path) -> None:
    with opened(root).writer() as engine, transaction(engine):
        engine.execute("INSERT INTO lake.omop.person SELECT range FROM range(1000)")
        os.kill(os.getpid(), signal.SIGKILL)


def test_files_a_killed_writer_left_go_once_they_are_old(tmp_path: Path) -> None:
    fill(tmp_path)
    known = set(tmp_path.rglob("*.parquet"))
    assert exit_code(write_and_die, tmp_path) == -signal.SIGKILL
    assert set(tmp_path.rglob("*.parquet")) > known
    maintain(opened(tmp_path))
    assert set(tmp_path.rglob("*.parquet")) > known
    keep_up(tmp_path)
    assert len(set(tmp_path.rglob("*.parquet"))) == 1
    assert persons(tmp_path) == 100


def append(root: Path) -> None:
    with Registry(Home(root), Settings()) as registry:
        registry.append("dossier.submitted", "study", "tester", {"version": 1})


@pytest.mark.parametrize("point", ["registry.before_commit", "registry.after_commit"])
def test_an_event_is_appended_or_not_and_the_chain_holds(tmp_path: Path, point: str) -> None:
    append(tmp_path)
    die(point, append, tmp_path)
    append(tmp_path)
    with Registry(Home(tmp_path), Settings()) as registry:
        audit = registry.verify()
    assert (audit.is_intact, audit.events) == (True, 3 if point == "registry.after_commit" else 2)
