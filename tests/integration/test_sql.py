"""`hdh sql` on a lake of each catalogue: a query reads its tables, and nothing beside them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hdh_assets.cli.console import print_rows
from hdh_assets.cli.sql import read
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.sql_text import literal
from resources.lake import Lake, open_lake
from resources.releases import make_release
from tests.small_lake import fill


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A table of one row and a view of it, twice; nothing here changes them."""
    made = open_lake(Home(tmp_path_factory.mktemp("sql") / "hub"), Settings())
    fill(made, 1)
    with made.writer() as engine:
        engine.execute("CREATE VIEW lake.main.person_twice AS FROM lake.omop.person UNION ALL FROM lake.omop.person")
    return made


@pytest.fixture
def embedded_lake(tmp_path: Path) -> Lake:
    return open_lake(Home(tmp_path / "hub"), Settings())


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
    with pytest.raises(RefusedError):
        read(lake, query)
    assert read(lake, "SELECT count(*) AS n FROM omop.person") == [{"n": 1}]


@pytest.mark.parametrize("query", ["FROM read_parquet({file})", "FROM {file}", 'FROM "{path}"', "FROM '/etc/some.csv'"])
def test_sql_reads_tables_and_no_file(lake: Lake, query: str) -> None:
    """Not even one of the lake: it may hold rows that were removed since."""
    [path] = Path(lake.data_path).rglob("*.parquet")
    with pytest.raises(RefusedError, match=r"does not call read_parquet|reads tables of the lake"):
        read(lake, query.format(file=literal(path), path=path))
    with pytest.raises(RefusedError, match="reads tables of the lake"):
        read(lake, "FROM lake")


@pytest.mark.parametrize("call", ["duckdb_databases()", "duckdb_settings()", "ducklake_list_files('lake', 'person')"])
def test_sql_tells_no_address_and_no_key(lake: Lake, call: str) -> None:
    with pytest.raises(RefusedError, match="does not call"):
        read(lake, f"SELECT * FROM {call}")


_OF_THE_ENGINE = [
    "SELECT path FROM duckdb_databases",
    "SELECT path FROM System.Main.DUCKDB_DATABASES",
    "SELECT file FROM pragma_database_list",
    "SELECT file FROM main.pragma_database_list",
    "SUMMARIZE duckdb_databases",
    "TABLE duckdb_databases",
    "SELECT setting FROM pg_settings",
    "SELECT setting FROM pg_catalog.pg_settings WHERE name LIKE 's3_%key%'",
    "EXPLAIN ANALYZE SELECT (SELECT max(setting) FROM system.pg_catalog.pg_settings)",
    "FROM (WITH duckdb_databases AS (SELECT 1) SELECT 1), duckdb_databases",
    "WITH Duckdb_Databases AS (FROM duckdb_databases) FROM Duckdb_Databases",
]


@pytest.mark.parametrize("query", _OF_THE_ENGINE)
def test_sql_reads_no_view_of_the_engine_that_tells_an_address_or_a_key(lake: Lake, query: str) -> None:
    with pytest.raises(RefusedError, match="reads tables of the lake"):
        read(lake, query)


@pytest.mark.postgres
def test_sql_never_tells_how_to_reach_the_catalogue(postgres_lake: Lake) -> None:
    fill(postgres_lake, 1)
    with postgres_lake.reader() as engine:  # otherwise the refusals below say nothing
        paths = engine.execute("SELECT path FROM duckdb_databases").fetchall()
    assert any("host" in str(path) or "postgres" in str(path) for path in paths)
    for query in (*_OF_THE_ENGINE, "FROM __ducklake_metadata_lake.ducklake_metadata", "FROM public.ducklake_metadata"):
        with pytest.raises(RefusedError):
            read(postgres_lake, query)
    assert read(postgres_lake, "SELECT * FROM LAKE.Omop.PERSON") == [{"person_id": 0}]


def test_sql_asks_the_engine_for_as_many_rows_as_are_shown(lake: Lake) -> None:
    assert len(read(lake, "FROM range(5)", most=3)) == 3
    assert len(read(lake, "FROM range(5)")) == 5


def test_sql_as_json_ends_with_whoever_reads_it(lake: Lake) -> None:
    """What was asked for would take days to write, and more memory than there is."""
    home = Path(lake.data_path).parents[1]
    assert (home / "hdh.toml").write_text("") == 0
    hdh = [sys.executable, "-m", "hdh_assets.cli", "--home", str(home)]
    command = [*hdh, "sql", "--json", "FROM range(1000000000000)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
        assert asking.stdout
        assert asking.stderr
        assert asking.stdout.read(30) == b'[\n  {\n    "range": 0\n  },\n  {\n'[:30]
        asking.stdout.close()
        assert asking.stderr.read() == b""


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
    with pytest.raises(RefusedError, match=r"look back|does not call|reads tables of the lake"):
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
        "WITH p AS (FROM omop.person) SELECT count(*) FROM P",
        "WITH columns AS (FROM omop.person) SELECT count(*) FROM columns",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) FROM t",
        "SELECT * FROM Lake.OMOP.Person AS p, (SELECT p.person_id)",
        "FROM person_twice",
        "FROM lake.person_twice",
        "FROM main.person_twice",
        "SELECT table_name FROM information_schema.tables",
    ],
)
def test_sql_reads_in_every_usual_way(lake: Lake, query: str) -> None:
    assert read(lake, query)


def test_sql_that_is_no_text_is_refused(lake: Lake) -> None:
    with pytest.raises(HubError, match="not text"):
        read(lake, "SELECT '\udcff'")


@pytest.mark.parametrize("kind", ["embedded_lake", pytest.param("postgres_lake", marks=pytest.mark.postgres)])
def test_sql_reads_head_and_release_under_their_short_names(kind: str, request: pytest.FixtureRequest) -> None:
    lake: Lake = request.getfixturevalue(kind)
    fill(lake, 2)
    release = make_release(lake, checks={})
    fill(lake, 2)
    assert read(lake, "SELECT count(*) AS n FROM omop.person") == [{"n": 4}]
    assert read(lake, "SELECT count(*) AS n FROM omop.person", snapshot=release.snapshot_id) == [{"n": 2}]


def test_sql_keeps_columns_of_one_name_apart(lake: Lake) -> None:
    query = "SELECT 1 AS n, 2 AS n, 3 AS n_1, 4 AS n FROM omop.person"
    assert read(lake, query) == [{"n": 1, "n_2": 2, "n_1": 3, "n_3": 4}]


def test_sql_shows_names_and_numbers_as_they_are(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
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
        ("SELECT nothing FROM omop.person", 'columns: `hdh sql "DESCRIBE omop.person"`'),
        (
            "WITH p AS (FROM omop.person) SELECT nothing FROM p, person_twice",
            '`hdh sql "DESCRIBE omop.person"`, `hdh sql "DESCRIBE person_twice"`',
        ),
        ("SELEC 1", "one SELECT"),
        ("SELECT * FROM 'file.csv'", "`hdh dataset list`"),
    ],
)
def test_a_query_that_fails_says_what_to_do(lake: Lake, query: str, remedy: str) -> None:
    with pytest.raises(HubError) as told:
        read(lake, query)
    assert remedy in str(told.value.remedy)
