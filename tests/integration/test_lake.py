"""The lake on its two catalogues: transactions, releases, encryption, writers, and a query that cannot leave it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from hdh_assets.cli.console import print_rows
from hdh_assets.cli.sql import read
from hdh_assets.core.errors import ConfigurationError, HubError, LakeBusyError, RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.sql_text import literal
from resources.lake import Lake, open_lake, transaction
from resources.releases import find, latest, list_releases, make_release
from tests.children import begin


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    home = Home(tmp_path / "hub")
    return open_lake(home, Settings())


@pytest.fixture
def postgres_lake(tmp_path: Path, postgres_url: str) -> Lake:
    return open_lake(Home(tmp_path / "hub"), Settings(lake_catalog=postgres_url))


def _fill(lake: Lake, rows: int) -> None:
    with lake.writer() as engine:
        engine.execute("CREATE SCHEMA IF NOT EXISTS lake.omop")
        engine.execute("CREATE TABLE IF NOT EXISTS lake.omop.person (person_id BIGINT NOT NULL)")
        engine.execute(f"INSERT INTO lake.omop.person SELECT * FROM range({rows})")


def _count(lake: Lake, snapshot: int | None = None) -> int:
    with lake.reader(snapshot=snapshot) as engine:
        return int(engine.execute("SELECT count(*) FROM lake.omop.person").fetchall()[0][0])


def test_a_failed_transaction_leaves_no_table_changed(lake: Lake) -> None:
    _fill(lake, 3)
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
    _fill(lake, 3)
    first = make_release(lake, checks={"passed": 1, "failed": 0})
    _fill(lake, 4)
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
    _fill(lake, 3)
    with lake.writer() as engine:  # enough for SQLite to have written some of it
        for number in range(60):
            engine.execute(f"CREATE TABLE lake.omop.t{number} (a BIGINT, b BIGINT, c BIGINT, d BIGINT)")
    killed = subprocess.run([sys.executable, "-c", _DYING_COMMIT, str(lake.catalog_file)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert lake.catalog_file.with_name("catalog.sqlite-wal").stat().st_size > 0
    assert _count(lake) == 3
    _fill(lake, 2)
    assert _count(lake) == 5


def test_a_query_that_reads_for_long_keeps_no_writer_from_its_commit(lake: Lake) -> None:
    _fill(lake, 3)
    with lake.reader() as reading:
        reading.execute("BEGIN")
        assert reading.execute("SELECT count(*) FROM lake.omop.person").fetchall() == [(3,)]
        _fill(lake, 2)
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
    _fill(lake, 3)
    command = [sys.executable, "-c", _READING, str(lake.catalog_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline()
        with pytest.raises(duckdb.Error, match="locked"):
            _fill(lake, 2)
        reader.communicate()
    _fill(lake, 2)
    assert _count(lake) == 5


def test_the_same_state_is_not_released_twice(lake: Lake) -> None:
    _fill(lake, 3)
    assert make_release(lake, checks={"passed": 1, "failed": 0}) == make_release(
        lake, checks={"passed": 1, "failed": 0}
    )


def test_a_failed_check_refuses_the_release_and_names_it(lake: Lake) -> None:
    _fill(lake, 1)
    with pytest.raises(RefusedError, match="person_id_is_unique"):
        make_release(lake, checks={"passed": 3, "failed": 1, "failures": ["person_id_is_unique"]})
    assert list_releases(lake) == []


def test_an_unknown_release_says_which_exist(lake: Lake) -> None:
    with pytest.raises(HubError, match="hdh init"):
        find(lake)
    _fill(lake, 1)
    with pytest.raises(HubError, match="no release yet"):
        find(lake)
    make_release(lake, checks={})
    with pytest.raises(HubError, match="from 1 to 1"):
        find(lake, 7)


def test_a_folder_of_the_home_moves_with_it(tmp_path: Path) -> None:
    settings = Settings(lake_data="elsewhere")
    _fill(open_lake(Home(tmp_path / "hub"), settings), 2)
    assert list((tmp_path / "hub" / "elsewhere").rglob("*.parquet"))
    (tmp_path / "hub").rename(tmp_path / "moved")
    lake = open_lake(Home(tmp_path / "moved"), settings)
    _fill(lake, 1)
    with lake.reader() as engine:
        assert engine.execute("SELECT person_id FROM lake.omop.person ORDER BY ALL").fetchall() == [(0,), (0,), (1,)]


@pytest.mark.parametrize(("first", "then"), [("", "/nowhere"), ("", "other"), ("elsewhere", ""), ("s", "s3://b/s")])
def test_another_place_for_files_than_they_have_is_told(tmp_path: Path, first: str, then: str) -> None:
    home = Home(tmp_path / "hub")
    _fill(open_lake(home, Settings(lake_data=first)), 1)
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
    _fill(lake, 0)
    writers = [begin(_commit_ten, lake.settings, lake.home.root, n) for n in range(4)]
    for process in writers:
        process.join()
    assert [process.exitcode for process in writers] == [0, 0, 0, 0]
    assert _count(lake) == 40


def test_other_rules_make_another_release_of_the_same_numbers_of_rows(lake: Lake) -> None:
    _fill(lake, 3)
    numbers = [make_release(lake, checks={}, rules=rules).number for rules in ("a", "a", "b", "b", "a")]
    assert numbers == [1, 1, 2, 2, 3]


def test_a_busy_lake_says_so_instead_of_waiting_for_ever(lake: Lake) -> None:
    with lake.writer_lock(), pytest.raises(LakeBusyError, match="another process"), lake.writer_lock(0.05):
        pass


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM omop.person",
        "CREATE TABLE x AS SELECT 1",
        "COPY (SELECT 1) TO '/tmp/leak.csv'",
        "SELECT 1; SELECT 2",
        "ATTACH ':memory:' AS other",
        "SET memory_limit = '1TB'",
        "PRAGMA force_checkpoint",
        "CALL ducklake_expire_snapshots('lake', versions => [1])",
        "EXPLAIN ANALYZE DELETE FROM omop.person",
        "SELECT * FROM ducklake_cleanup_old_files('lake', cleanup_all => true)",
        "SELECT * FROM lake.set_option('x', 'y')",
        "SELECT 1 WHERE EXISTS (FROM json_execute_serialized_sql('{}'))",
        "/* beside */ EXPLAIN SELECT 1",
    ],
)
def test_sql_refuses_all_but_one_reading_statement(lake: Lake, query: str) -> None:
    _fill(lake, 1)
    with pytest.raises(RefusedError):
        read(lake, query)
    assert _count(lake) == 1


@pytest.mark.parametrize("query", ["FROM read_parquet({file})", "FROM {file}", 'FROM "{path}"', "FROM '/etc/some.csv'"])
def test_sql_reads_tables_and_no_file(lake: Lake, query: str) -> None:
    """Not even one of the lake: it may hold rows that were removed since."""
    _fill(lake, 1)
    [path] = Path(lake.data_path).rglob("*.parquet")
    with pytest.raises(RefusedError, match=r"does not call read_parquet|not files"):
        read(lake, query.format(file=literal(path), path=path))
    with pytest.raises(HubError, match="failed"):
        read(lake, "FROM lake")


@pytest.mark.parametrize("call", ["duckdb_databases()", "duckdb_settings()", "ducklake_list_files('lake', 'person')"])
def test_sql_tells_no_address_and_no_key(lake: Lake, call: str) -> None:
    _fill(lake, 1)
    with pytest.raises(RefusedError, match="does not call"):
        read(lake, f"SELECT * FROM {call}")


def test_sql_asks_the_engine_for_as_many_rows_as_are_shown(lake: Lake) -> None:
    _fill(lake, 5)
    assert len(read(lake, "FROM omop.person", most=3)) == 3
    assert len(read(lake, "FROM omop.person")) == 5


@pytest.mark.parametrize(
    "call",
    [
        "sqlite_scan({file}, 'secret')",
        "\"SQLITE_SCAN\"({file}, 'secret')",
        "(SELECT * FROM system.main.sqlite_scan({file}, 'secret'))",
        "query('SELECT * FROM sqlite_scan(' || chr(39) || {file} || chr(39) || ', ''secret'')')",
        "sqlite_query('__ducklake_metadata_lake', 'SELECT 1')",
        "postgres_scan('dbname=x', 'public', 'event')",
        "omop.person --\n EXPLAIN, sqlite_scan({file}, 'secret')",
        "read_text({file})",
        "glob({file})",
    ],
)
def test_sql_opens_no_database_beside_the_lake(lake: Lake, tmp_path: Path, call: str) -> None:
    _fill(lake, 1)
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.executescript("CREATE TABLE secret (n); INSERT INTO secret VALUES (1)")
    place = call.format(file=literal(tmp_path / "other.sqlite"))
    for query in (f"SELECT * FROM {place}", f"EXPLAIN ANALYZE WITH s AS (FROM {place}) SELECT (SELECT max(n) FROM s)"):
        with pytest.raises(RefusedError, match="does not call"):
            read(lake, query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM omop.person AT (VERSION => 1)",
        "WITH old AS (FROM omop.person AT (TIMESTAMP => now() - INTERVAL 1 HOUR)) SELECT (SELECT count(*) FROM old)",
        "EXPLAIN ANALYZE SELECT * FROM omop.person JOIN omop.person AS old AT (VERSION => 1) USING (person_id)",
        "SELECT * FROM lake.table_deletions('person', 0, 9)",
        "SELECT * FROM ducklake_table_changes('lake', 'omop', 'person', 0, 9)",
        "SELECT * FROM __ducklake_metadata_lake.ducklake_table_column_stats",
        'SELECT (SELECT max(max_value) FROM "__DuckLake_Metadata_lake".main.ducklake_file_column_stats)',
    ],
)
def test_sql_does_not_look_back_at_rows_that_were_removed(lake: Lake, query: str) -> None:
    _fill(lake, 1)
    with pytest.raises(RefusedError, match=r"look back|does not call|not its catalogue"):
        read(lake, query)


@pytest.mark.parametrize(
    "query",
    [
        "SHOW TABLES FROM lake.omop",
        "DESCRIBE omop.person",
        "SUMMARIZE omop.person",
        "EXPLAIN SELECT * FROM omop.person",
        "SELECT 'EXPLAIN' AS explain FROM omop.person",
        "FROM ducklake_snapshots('lake')",
        "SELECT table_name FROM duckdb_tables()",
        "SELECT unnest(range(3)) FROM generate_series(1, 3)",
        "WITH p AS (FROM omop.person) SELECT count(*) FROM p",
    ],
)
def test_sql_reads_in_every_usual_way(lake: Lake, query: str) -> None:
    _fill(lake, 1)
    assert read(lake, query)


def test_sql_that_is_no_text_is_refused(lake: Lake) -> None:
    with pytest.raises(HubError, match="not text"):
        read(lake, "SELECT '\udcff'")


@pytest.mark.parametrize("kind", ["lake", pytest.param("postgres_lake", marks=pytest.mark.postgres)])
def test_sql_reads_head_and_release_under_their_short_names(kind: str, request: pytest.FixtureRequest) -> None:
    lake: Lake = request.getfixturevalue(kind)
    _fill(lake, 2)
    release = make_release(lake, checks={})
    _fill(lake, 2)
    assert read(lake, "SELECT count(*) AS n FROM omop.person") == [{"n": 4}]
    assert read(lake, "SELECT count(*) AS n FROM omop.person", snapshot=release.snapshot_id) == [{"n": 2}]


def test_sql_keeps_columns_of_one_name_apart(lake: Lake) -> None:
    _fill(lake, 1)
    query = "SELECT 1 AS n, 2 AS n, 3 AS n_1, 4 AS n FROM omop.person"
    assert read(lake, query) == [{"n": 1, "n_2": 2, "n_1": 3, "n_3": 4}]


def test_sql_shows_names_and_numbers_as_they_are(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    _fill(lake, 1)
    query = "SELECT 20190102 AS care_date, 12345678901234567 AS person_id FROM omop.person"
    print_rows(read(lake, query), as_json=False, verbatim=True)
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines() if line.strip()] == [
        ["care_date", "person_id"],
        ["20190102", "12345678901234567"],
    ]


@pytest.mark.parametrize(
    ("query", "remedy"),
    [
        ("FROM omop.nobody", "`hdh dataset list`"),
        ("SELECT nothing FROM omop.person", "duckdb_columns()"),
        ("SELEC 1", "one SELECT"),
        ("SELECT * FROM 'file.csv'", "`hdh dataset list`"),
    ],
)
def test_a_query_that_fails_says_what_to_do(lake: Lake, query: str, remedy: str) -> None:
    _fill(lake, 1)
    with pytest.raises(HubError) as told:
        read(lake, query)
    assert remedy in str(told.value.remedy)
