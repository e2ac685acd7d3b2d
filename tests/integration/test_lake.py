"""The lake on its two catalogues: transactions, releases, encryption, writers."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from hdh_assets.core.errors import ConfigurationError, HubError, LakeBusyError, RefusedError
from hdh_assets.core.home import Home, Settings
from resources.lake import Lake, open_lake, transaction
from resources.releases import find, latest, list_releases, make_release
from tests.children import begin
from tests.small_lake import fill


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    home = Home(tmp_path / "hub")
    return open_lake(home, Settings())


def _count(lake: Lake, snapshot: int | None = None) -> int:
    with lake.reader(snapshot=snapshot) as engine:
        return int(engine.execute("SELECT count(*) FROM lake.omop.person").fetchall()[0][0])


def test_a_failed_transaction_leaves_no_table_changed(lake: Lake) -> None:
    fill(lake, 3)
    with lake.writer() as engine, pytest.raises(RuntimeError), transaction(engine):
        engine.execute("INSERT INTO lake.omop.person VALUES (99)")
        engine.execute("CREATE TABLE lake.omop.other (i INTEGER)")
        raise RuntimeError
    assert _count(lake) == 3
    with lake.reader() as engine:
        assert not engine.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'other'").fetchall()


@pytest.mark.parametrize("kind", ["lake", pytest.param("postgres_lake", marks=pytest.mark.postgres)])
def test_a_release_stays_readable_while_the_head_moves(kind: str, request: pytest.FixtureRequest) -> None:
    lake: Lake = request.getfixturevalue(kind)
    fill(lake, 3)
    first = make_release(lake, checks={"passed": 1, "failed": 0})
    fill(lake, 4)
    second = make_release(lake, checks={"passed": 1, "failed": 0})
    assert [release.number for release in list_releases(lake)] == [1, 2]
    assert (_count(lake, first.snapshot_id), _count(lake, second.snapshot_id), _count(lake)) == (3, 7, 7)
    assert latest(lake) == second
    assert first.contents["rows"] == {"omop.person": 3}


_DYING_COMMIT = """
import os, signal, sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None)
catalog.execute("PRAGMA cache_size = 1")
catalog.execute("BEGIN IMMEDIATE")
catalog.execute("UPDATE ducklake_column SET column_name = column_name || 'x'")
catalog.execute("UPDATE ducklake_snapshot SET schema_version = schema_version + 100")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_reader_sees_nothing_of_what_a_writer_killed_in_its_commit_left(lake: Lake) -> None:
    fill(lake, 3)
    with lake.writer() as engine:  # enough for SQLite to have written some of it
        for number in range(60):
            engine.execute(f"CREATE TABLE lake.omop.t{number} (a BIGINT, b BIGINT, c BIGINT, d BIGINT)")
    killed = subprocess.run([sys.executable, "-c", _DYING_COMMIT, str(lake.catalog_file)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert lake.catalog_file.with_name("catalog.sqlite-wal").stat().st_size > 0
    assert _count(lake) == 3
    fill(lake, 2)
    assert _count(lake) == 5


def test_a_query_that_reads_for_long_keeps_no_writer_from_its_commit(lake: Lake) -> None:
    fill(lake, 3)
    with lake.reader() as reading:
        reading.execute("BEGIN")
        assert reading.execute("SELECT count(*) FROM lake.omop.person").fetchall() == [(3,)]
        fill(lake, 2)
        assert reading.execute("SELECT count(*) FROM lake.omop.person").fetchall() == [(3,)]
        reading.execute("COMMIT")
        assert reading.execute("SELECT count(*) FROM lake.omop.person").fetchall() == [(5,)]


_READING = """
import sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None)
catalog.execute("BEGIN")
catalog.execute("SELECT * FROM ducklake_snapshot").fetchone()
print("reading", flush=True)
sys.stdin.read()
"""


def test_a_commit_that_failed_keeps_nothing_locked(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite cannot have its write-ahead log, a reader makes a commit fail: that one, and none after it."""
    options = lake.attach_options() | {"META_JOURNAL_MODE": "DELETE", "META_BUSY_TIMEOUT": 200}
    monkeypatch.setattr(Lake, "attach_options", lambda _, **__: options)
    fill(lake, 3)
    command = [sys.executable, "-c", _READING, str(lake.catalog_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline()
        with pytest.raises(duckdb.Error, match="locked"):
            fill(lake, 2)
        reader.communicate()
    fill(lake, 2)
    assert _count(lake) == 5


def test_the_same_state_is_not_released_twice(lake: Lake) -> None:
    fill(lake, 3)
    assert make_release(lake, checks={"passed": 1, "failed": 0}) == make_release(
        lake, checks={"passed": 1, "failed": 0}
    )


def test_a_failed_check_refuses_the_release_and_names_it(lake: Lake) -> None:
    fill(lake, 1)
    with pytest.raises(RefusedError, match="person_id_is_unique"):
        make_release(lake, checks={"passed": 3, "failed": 1, "failures": ["person_id_is_unique"]})
    assert list_releases(lake) == []


def test_an_unknown_release_says_which_exist(lake: Lake) -> None:
    with pytest.raises(HubError, match="hdh init"):
        find(lake)
    fill(lake, 1)
    with pytest.raises(HubError, match="no release yet"):
        find(lake)
    make_release(lake, checks={})
    with pytest.raises(HubError, match="from 1 to 1"):
        find(lake, 7)


def test_a_folder_of_the_home_moves_with_it(tmp_path: Path) -> None:
    settings = Settings(lake_data="elsewhere")
    fill(open_lake(Home(tmp_path / "hub"), settings), 2)
    assert list((tmp_path / "hub" / "elsewhere").rglob("*.parquet"))
    (tmp_path / "hub").rename(tmp_path / "moved")
    lake = open_lake(Home(tmp_path / "moved"), settings)
    fill(lake, 1)
    with lake.reader() as engine:
        assert engine.execute("SELECT person_id FROM lake.omop.person ORDER BY ALL").fetchall() == [(0,), (0,), (1,)]


@pytest.mark.parametrize(("first", "then"), [("", "/nowhere"), ("", "other"), ("elsewhere", ""), ("s", "s3://b/s")])
def test_another_place_for_files_than_they_have_is_told(tmp_path: Path, first: str, then: str) -> None:
    home = Home(tmp_path / "hub")
    fill(open_lake(home, Settings(lake_data=first)), 1)
    with pytest.raises(ConfigurationError, match="lake_data"), open_lake(home, Settings(lake_data=then)).reader():
        pass
    assert _count(open_lake(home, Settings(lake_data=first))) == 1


def test_a_catalogue_that_does_not_answer_is_told(tmp_path: Path) -> None:
    settings = Settings(lake_catalog="postgresql://127.0.0.1:1/nobody")
    with pytest.raises(HubError, match="PostgreSQL does not answer"), open_lake(Home(tmp_path), settings).reader():
        pass


def test_an_encrypted_lake_holds_no_readable_parquet(tmp_path: Path) -> None:
    lake = open_lake(Home(tmp_path / "hub"), Settings(lake_encrypted=True))
    with lake.writer() as engine:
        engine.execute("CREATE TABLE lake.main.word AS SELECT 'planted-marker' || i AS w FROM range(100) t(i)")
    files = list((tmp_path / "hub").rglob("*.parquet"))
    assert files
    for path in files:
        content = path.read_bytes()
        assert b"planted-marker" not in content
        assert content[:4] == b"PARE"
    with lake.reader() as engine:
        assert engine.execute("SELECT count(*) FROM lake.main.word").fetchall() == [(100,)]


def _commit_ten(settings: Settings, root: Path, writer: int) -> None:
    lake = open_lake(Home(root), settings)
    for commit in range(10):
        with lake.writer() as engine:
            engine.execute("INSERT INTO lake.omop.person VALUES (?)", [writer * 100 + commit])


@pytest.mark.parametrize("kind", ["lake", pytest.param("postgres_lake", marks=pytest.mark.postgres)])
def test_several_writing_processes_lose_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    lake: Lake = request.getfixturevalue(kind)
    fill(lake, 0)
    writers = [begin(_commit_ten, lake.settings, lake.home.root, n) for n in range(4)]
    for process in writers:
        process.join()
    assert [process.exitcode for process in writers] == [0, 0, 0, 0]
    assert _count(lake) == 40


def test_other_rules_make_another_release_of_the_same_numbers_of_rows(lake: Lake) -> None:
    fill(lake, 3)
    numbers = [make_release(lake, checks={}, rules=rules).number for rules in ("a", "a", "b", "b", "a")]
    assert numbers == [1, 1, 2, 2, 3]


def test_a_busy_lake_says_so_instead_of_waiting_for_ever(lake: Lake) -> None:
    with lake.writer_lock(), pytest.raises(LakeBusyError, match="another process"), lake.writer_lock(0.05):
        pass
