"""Maintenance of a real lake: small files merged, unpinned snapshots gone, what a release pins still readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest

from hdh_assets.core.home import Home, Settings
from resources import maintenance
from resources.lake import Lake, bound_by_bytes, open_lake
from resources.lake_tables import DeliveryRow, deliveries, ensure_tables, register
from resources.maintenance import KEPT, Snapshot, expirable, maintain, merge_register, rewrite_dead_files
from resources.releases import make_release

NOW = datetime(2024, 1, 31, tzinfo=UTC)


def test_pinned_newest_and_young_snapshots_stay() -> None:
    old, young = NOW - timedelta(days=30), NOW - timedelta(days=1)
    snapshots = [Snapshot(1, old), Snapshot(2, old), Snapshot(3, old), Snapshot(4, young), Snapshot(5, old)]
    assert expirable(snapshots, {2}, now=NOW) == [1, 3]
    assert expirable([], set(), now=NOW) == []


def test_a_release_reads_the_same_after_maintenance(home: Home, settings: Settings) -> None:
    lake = open_lake(home, settings)
    with lake.writer() as engine:
        engine.execute("CREATE SCHEMA lake.sample; CREATE TABLE lake.sample.numbers (n INTEGER)")
        for n in range(5):
            engine.execute(f"INSERT INTO lake.sample.numbers SELECT range + {n * 100} FROM range(100)")
    release = make_release(lake, checks={"passed": 1, "failed": 0})
    with lake.writer() as engine:
        engine.execute("DELETE FROM lake.sample.numbers WHERE n < 250")
        for n in range(5, 8):
            engine.execute(f"INSERT INTO lake.sample.numbers SELECT range + {n * 100} FROM range(100)")

    done = maintain(lake, now=datetime.now(UTC) + KEPT + timedelta(days=1))

    assert done.snapshots_expired > 5
    for snapshot, expected in ((release.snapshot_id, 500), (None, 550)):
        with lake.reader(snapshot=snapshot) as engine:
            assert engine.execute("SELECT count(DISTINCT n) FROM lake.sample.numbers").fetchone() == (expected,)
    again = maintain(lake, now=datetime.now(UTC) + KEPT + timedelta(days=1))
    assert again.files_after <= done.files_after


def test_rows_deleted_long_ago_take_no_room(home: Home, settings: Settings) -> None:
    """As eras do, which each flux deletes and writes again: what is left is one file of living rows."""
    lake = open_lake(home, settings)
    with lake.writer() as engine:
        engine.execute("CREATE SCHEMA lake.sample; CREATE TABLE lake.sample.numbers (n INTEGER)")
        for _ in range(4):
            engine.execute("DELETE FROM lake.sample.numbers WHERE n >= 10")
            engine.execute("INSERT INTO lake.sample.numbers SELECT range FROM range(100)")

    maintain(lake)

    with lake.reader() as engine:
        catalog = "__ducklake_metadata_lake"
        files = engine.execute(
            f"SELECT record_count FROM {catalog}.ducklake_data_file WHERE end_snapshot IS NULL"
        ).fetchall()
        deleted = engine.execute(f"SELECT * FROM {catalog}.ducklake_delete_file WHERE end_snapshot IS NULL").fetchall()
        rows = engine.execute("SELECT count(*) FROM lake.sample.numbers").fetchone()
    assert rows == (130,)
    assert files == [(130,)]
    assert deleted == []


@pytest.mark.parametrize("hidden", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_long_texts_are_merged_in_less_memory_than_they_take(home: Home, settings: Settings, hidden: bool) -> None:
    lake = open_lake(home, settings.model_copy(update={"memory_limit": "400MB", "threads": 2}))
    texts = "repeat(md5(CAST(range AS VARCHAR)), 8000)"  # a quarter of a megabyte
    with lake.writer() as engine:
        bound_by_bytes(engine)
        engine.execute("CREATE SCHEMA lake.sample; CREATE TABLE lake.sample.notes (n INTEGER, text VARCHAR)")
        for n in range(20):
            engine.execute(
                f"INSERT INTO lake.sample.notes SELECT range, {texts} FROM range({n * 100}, {n * 100 + 100})"
            )
        if hidden:
            engine.execute("DELETE FROM lake.sample.notes WHERE n % 5 < 3")

    assert maintain(lake).files_after == 1

    with lake.reader() as engine:
        whole = "count(*) FILTER (length(text) = 256000 AND text LIKE md5(CAST(n AS VARCHAR)) || '%')"
        kept = 800 if hidden else 2000
        engine.execute("SET threads = 1")
        assert engine.execute(f"SELECT count(*), {whole} FROM lake.sample.notes").fetchone() == (kept, kept)


def test_tables_that_are_deleted_and_written_again_do_not_wait_for_the_night(home: Home, settings: Settings) -> None:
    lake = open_lake(home, settings)
    dead, few, other = "omop.eras", "omop.periods", "sample.eras"
    with lake.writer() as engine:
        for name, fluxes in ((dead, maintenance.DEAD_FILES + 1), (few, maintenance.DEAD_FILES), (other, 9)):
            engine.execute(
                f"CREATE SCHEMA IF NOT EXISTS lake.{name.split('.')[0]}; CREATE TABLE lake.{name} (n INTEGER)"
            )
            for _ in range(fluxes):
                engine.execute(f"DELETE FROM lake.{name} WHERE n >= 10")
                engine.execute(f"INSERT INTO lake.{name} SELECT range FROM range(100)")
    before = make_release(lake, checks={"passed": 1, "failed": 0}).snapshot_id

    with lake.writer() as engine:
        assert rewrite_dead_files(engine, ("staging", "omop")) == [("omop", "eras")]
        assert rewrite_dead_files(engine, ("staging", "omop")) == []
        counted = "SELECT count(*) FROM ducklake_list_files('lake', '{}', schema => '{}')"
        schemas = [name.split(".") for name in (dead, few, other)]
        files = [engine.execute(counted.format(name, schema)).fetchone() for schema, name in schemas]
    assert files == [(2,), (maintenance.DEAD_FILES,), (9,)]
    for snapshot in (None, before):
        with lake.reader(snapshot=snapshot) as engine:
            found = engine.execute(f"SELECT count(*), count(DISTINCT n) FROM lake.{dead}").fetchone()
            assert found == (10 * (maintenance.DEAD_FILES + 1) + 90, 100)


class Overtaken:
    """An engine whose commit comes second: `meanwhile` is done first, by another connection."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, meanwhile: Callable[[], None]) -> None:
        self._engine = engine
        self._meanwhile = meanwhile

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        if sql == "COMMIT":
            self._meanwhile()
        return self._engine.execute(sql)


@pytest.mark.postgres
def test_a_table_that_somebody_changes_meanwhile_is_left_for_another_time(home: Home, postgres_url: str) -> None:
    lake = open_lake(home, Settings.load(home, lake_catalog=postgres_url))
    with lake.writer() as engine:
        engine.execute("CREATE SCHEMA lake.omop; CREATE TABLE lake.omop.eras (n INTEGER)")
        for _ in range(maintenance.DEAD_FILES + 1):
            engine.execute("DELETE FROM lake.omop.eras WHERE n >= 10")
            engine.execute("INSERT INTO lake.omop.eras SELECT range FROM range(100)")

    def delete() -> None:
        with lake.writer() as other:
            other.execute("DELETE FROM lake.omop.eras WHERE n = 5")

    with lake.writer() as engine:
        overtaken: Any = Overtaken(engine, delete)
        assert rewrite_dead_files(overtaken, ("omop",)) == []
        left = 9 * (maintenance.DEAD_FILES + 1) + 90
        assert engine.execute("SELECT count(*) FROM lake.omop.eras").fetchone() == (left,)
        assert rewrite_dead_files(engine, ("omop",)) == [("omop", "eras")]
        assert engine.execute("SELECT count(*) FROM lake.omop.eras").fetchone() == (left,)


@pytest.mark.postgres
@pytest.mark.parametrize("step", ["rewrite_data_files", "merge_adjacent_files"])
def test_a_night_in_which_somebody_changes_a_table_does_what_else_there_is_to_do(
    home: Home, postgres_url: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    lake = open_lake(home, Settings.load(home, lake_catalog=postgres_url))
    with lake.writer() as engine:
        engine.execute("CREATE SCHEMA lake.omop; CREATE TABLE lake.omop.eras (n INTEGER)")
        for _ in range(3):
            engine.execute("INSERT INTO lake.omop.eras SELECT range FROM range(100)")
        if step == "rewrite_data_files":
            engine.execute("DELETE FROM lake.omop.eras WHERE n >= 10")

    def delete() -> None:
        with lake.opened() as other:
            other.execute("DELETE FROM lake.omop.eras WHERE n = 5")

    @contextmanager
    def overtaken(lake: Lake, *, spill: Path | None = None) -> Iterator[Any]:
        with lake.opened(spill) as engine:
            yield OvertakenCall(engine, delete, step)

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "writer", overtaken)
        done = maintain(lake, now=datetime.now(UTC) + KEPT + timedelta(days=1))
    assert done.snapshots_expired > 3
    assert (maintain(lake).files_after == 1) is (step == "rewrite_data_files"), "deleted rows keep a file from a merge"
    with lake.reader() as engine:
        assert engine.execute("SELECT count(*) FROM lake.omop.eras WHERE n < 10").fetchone() == (27,)


class OvertakenCall:
    """An engine that is overtaken in one kind of call: between its look at the tables and its commit."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, meanwhile: Callable[[], None], step: str) -> None:
        self._engine, self._meanwhile, self._step = engine, meanwhile, step

    def execute(self, sql: str, *values: Any) -> duckdb.DuckDBPyConnection:
        if self._step not in sql:
            return self._engine.execute(sql, *values)
        self._engine.execute("BEGIN")
        self._engine.execute(sql)
        self._meanwhile()
        return self._engine.execute("COMMIT")


def test_a_register_of_many_files_becomes_one_and_says_the_same(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "REGISTER_FILES", 3)
    lake = open_lake(home, settings)
    for n in range(4):
        with lake.writer() as engine:
            ensure_tables(engine, {})
            register(engine, registered(n))
        assert merge_register(lake) is (n == 3)
    assert not merge_register(lake)
    with lake.reader() as engine:
        assert [row.digest for row in deliveries(engine)] == [registered(n).digest for n in range(4)]


def registered(number: int) -> DeliveryRow:
    """A row of the register."""
    at = NOW + timedelta(minutes=number)
    texts = dict.fromkeys(("tables", "files", "receipt"), "{}")
    return DeliveryRow(
        delivery_id=UUID(int=number),
        digest=f"{number:064x}",
        dataset="care",
        period="2024-01",
        producer="clinic",
        status="current",
        loaded_at=at,
        descriptor_version=1,
        row_count=1,
        rejected_count=0,
        run_id="run",
        sealed_at=at,
        **texts,
    )
