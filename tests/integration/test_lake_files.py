"""Files of the lake that are lost or damaged: told by name before anybody reads them, and by whoever does."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import psycopg
import pytest

from hdh_assets.core.errors import ConfigurationError, HubError
from hdh_assets.core.home import Home, Settings
from resources.engine_errors import outside_failure
from resources.lake import open_lake
from resources.lake_files import damaged_files

DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "removed": (Path.unlink, "gone"),
    "emptied": (lambda path: path.write_bytes(b""), "damaged"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-200]), "damaged"),
}


@pytest.fixture(params=[False, True], ids=["clear", "encrypted"])
def lake_settings(request: pytest.FixtureRequest) -> Settings:
    return Settings(lake_encrypted=request.param)


@pytest.fixture(params=["lake/catalog.sqlite", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def catalogue(request: pytest.FixtureRequest) -> str:
    """Where a lake has its catalogue: a file, or the address of a database."""
    is_file = request.param != "PostgreSQL"
    return str(request.param if is_file else request.getfixturevalue("postgres_url"))


def fill(home: Home, settings: Settings) -> list[Path]:
    """A lake of one table, with a file of rows and one of deletions."""
    with open_lake(home, settings).writer() as engine:
        engine.execute("CREATE SCHEMA lake.care")
        engine.execute("CREATE TABLE lake.care.visits AS SELECT range AS n, md5(range::VARCHAR) AS t FROM range(10000)")
        engine.execute("DELETE FROM lake.care.visits WHERE n % 7 = 0")
    return sorted((home.lake / "data" / "care").rglob("*.parquet"))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_told_by_name(tmp_path: Path, lake_settings: Settings, damage: str) -> None:
    home = Home(tmp_path)
    harm, state = DAMAGES[damage]
    lake, files = open_lake(home, lake_settings), fill(home, lake_settings)
    assert len(files) == 2
    with lake.reader() as engine:
        assert damaged_files(lake, engine) == []
    for path in files:
        before = path.read_bytes()
        harm(path)
        name = f"care/visits/{path.name}"
        with lake.reader() as engine:
            assert damaged_files(lake, engine) == [name]
            with pytest.raises(duckdb.Error) as error:
                engine.execute("SELECT max(t) FROM lake.care.visits").fetchall()
        told = outside_failure(error.value)
        assert told is not None
        assert told.message == f"the lake's file {name} is {state}"
        path.write_bytes(before)
    with lake.reader() as engine:
        assert damaged_files(lake, engine) == []
        assert engine.execute("SELECT count(*) FROM lake.care.visits").fetchall() == [(8571,)]


@pytest.mark.parametrize("place", [slice(4, 400), slice(-400, -8), slice(-8, -4)], ids=["rows", "footer", "length"])
def test_a_damage_within_is_told_by_whoever_reads_it(tmp_path: Path, place: slice) -> None:
    home, settings = Home(tmp_path), Settings()
    path = max(fill(home, settings), key=lambda each: each.stat().st_size)
    content = bytearray(path.read_bytes())
    content[place] = b"\xff" * len(content[place])
    path.write_bytes(content)
    with open_lake(home, settings).reader() as engine, pytest.raises(duckdb.Error) as error:
        engine.execute("SELECT max(n), max(t) FROM lake.care.visits").fetchall()
    told = outside_failure(error.value)
    assert told is not None
    assert told.message in {"a file of the lake is damaged", f"the lake's file care/visits/{path.name} is damaged"}


def test_no_new_catalogue_hides_the_files_of_a_lost_one(tmp_path: Path, catalogue: str) -> None:
    home, settings = Home(tmp_path), Settings(lake_catalog="" if catalogue.endswith(".sqlite") else catalogue)
    lake, files = open_lake(home, settings), fill(home, settings)
    if lake.is_embedded:
        lake.catalog_file.unlink()
    else:
        with psycopg.connect(catalogue, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    for opened in (lake.reader, lake.writer, lake.reader):
        with pytest.raises(ConfigurationError, match="catalogue is gone") as error, opened():
            pass
        assert error.value.remedy is not None
        assert "from a backup" in error.value.remedy
    assert all(path.exists() for path in files)
    (home.lake / "data").rename(home.lake / "aside")
    with lake.writer() as engine:
        assert engine.execute("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'lake'").fetchall() == [(0,)]


@pytest.mark.parametrize("content", [b"", None, random.Random(1).randbytes(50_000)], ids=["emptied", "cut", "garbage"])
def test_a_catalogue_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    home, settings = Home(tmp_path), Settings()
    fill(home, settings)
    lake = open_lake(home, settings)
    whole = lake.catalog_file.read_bytes()
    damaged = whole[: len(whole) // 2] if content is None else content
    for opened in (lake.reader, lake.writer):
        lake.catalog_file.write_bytes(damaged)
        with pytest.raises(HubError, match=r"catalogue is (gone|damaged)"), opened():
            pass
        lake.catalog_file.write_bytes(whole)
    with lake.reader() as engine:
        assert engine.execute("SELECT count(*) FROM lake.care.visits").fetchall() == [(8571,)]
