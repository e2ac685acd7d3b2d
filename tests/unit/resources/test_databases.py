"""The hub's small databases when they fail: which one it was and what to do, never what was being written."""

from __future__ import annotations

import sqlite3
import traceback
from pathlib import Path

import duckdb
import psycopg
import pytest

from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.instance import prepare_instance
from hdh_assets.definitions.storage import opened_instance
from resources.databases import StorageWatch, claim_storage
from resources.engine_errors import outside_failure
from resources.lake import Lake, open_lake
from resources.ledger import Ledger
from resources.opposed_numbers import OpposedNumbers
from resources.postgres import connection_error
from resources.registry import Registry

NUMBER = 8_714_225_190_331_627_441
STORES = [(Registry, "event log"), (Ledger, "intake ledger"), (OpposedNumbers, "opposed numbers")]


@pytest.mark.parametrize(("store", "name"), STORES)
def test_a_database_that_does_not_answer_is_told_by_its_setting(tmp_path: Path, store: type, name: str) -> None:
    with pytest.raises(HubError, match=name) as told:
        store(Home(tmp_path), Settings(registry_url="postgresql://nobody@127.0.0.1:1/none"))
    assert "registry_url" in (told.value.remedy or "")


@pytest.mark.parametrize(("store", "name"), STORES)
def test_a_file_that_is_no_database_is_told_by_its_folder(tmp_path: Path, store: type, name: str) -> None:
    home = Home(tmp_path)
    home.registry.mkdir()
    for file in ("events", "intake", "opposed"):
        (home.registry / f"{file}.sqlite").write_bytes(b"not a database, whatever its name says" * 100)
    with pytest.raises(HubError, match=name) as told:
        store(home, Settings())
    assert "registry/" in (told.value.remedy or "")


def test_a_number_that_cannot_be_written_is_not_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with OpposedNumbers(home, Settings()) as numbers:
        with sqlite3.connect(home.registry / "opposed.sqlite") as file:
            file.execute("DROP TABLE opposed_number")
        with pytest.raises(HubError) as told:
            numbers.put(1, [NUMBER], [])
    assert str(NUMBER) not in "".join(traceback.format_exception(told.value))


@pytest.mark.postgres
@pytest.mark.parametrize("wrong", ["password", "role", "database"])
def test_a_server_that_answers_and_lets_nobody_in_is_told_so(tmp_path: Path, postgres_url: str, wrong: str) -> None:
    """By whatever of the hub asks, without what the driver says: it names the account."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS locked")
        connection.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
    account = {"password": "locked:sesame@", "role": "sesame@", "database": "hdh@"}[wrong]
    url = postgres_url.replace("hdh@", account) + ("sesame" if wrong == "database" else "")
    home, told = Home(tmp_path), []
    settings = Settings(registry_url=url, lake_catalog=url)
    prepare_instance(home, Settings(dagster_postgres=url))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home.dagster))
        uses = [
            ("registry_url", lambda: Ledger(home, settings)),
            ("lake_catalog", lambda: _read(open_lake(home, settings))),
            ("dagster_postgres", lambda: claim_storage(home, Settings(dagster_postgres=url))),
        ]
        if wrong == "password":  # Dagster asks again for ten seconds
            uses.append(("dagster_postgres", lambda: opened_instance(home).__enter__()))
        for _, use in uses:
            with pytest.raises((HubError, duckdb.Error)) as error:
                use()
            told.append(outside_failure(error.value) or error.value)
    for error, (setting, _) in zip(told, uses, strict=True):
        assert "PostgreSQL answers, and does not let the hub in" in str(error)
        assert f"password or database in {setting}" in str(error)
        assert "sesame" not in str(error)


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  authentification par mot de passe échouée pour l'utilisateur « sesame »",
        "FATAL:  la base de données « sesame » n'existe pas",
        'FATALE:  autenticazione con password fallita per l\'utente "sesame"',
        'ВАЖНО:  база данных "sesame" не существует',
        "FATAL:  sorry, too many clients already",
    ],
)
def test_a_server_answers_in_whatever_language(said: str) -> None:
    text = f'connection to server at "127.0.0.1", port 5432 failed: {said}\n'
    told = connection_error("the event log", "registry_url", text)
    assert "PostgreSQL answers" in told.message
    assert "sesame" not in str(told)


@pytest.mark.parametrize(
    "said",
    [
        'connection to server at "127.0.0.1", port 1 failed: Connection refused\n\tIs the server running on that host?',
        'could not translate host name "sesame" to address: Name or service not known',
    ],
)
def test_a_server_that_is_not_reached_is_told_so(said: str) -> None:
    assert "does not answer" in connection_error("the event log", "registry_url", said).message


def _read(lake: Lake) -> None:
    with lake.reader():
        pass


@pytest.mark.postgres
def test_a_storage_that_goes_away_and_comes_back_is_told_once_each(postgres_url: str) -> None:
    server, _, name = postgres_url.rpartition("/")
    watch = StorageWatch(Settings(dagster_postgres=postgres_url))

    def let_in(allowed: bool) -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {str(allowed).lower()}")

    assert watch.look() is None
    let_in(False)
    try:
        assert "Dagster's storage" in (watch.look() or "")
        assert watch.look() is None
    finally:
        let_in(True)
    assert watch.look() == "Dagster's storage in PostgreSQL answers again"
    assert watch.look() is None


def test_a_storage_in_the_home_is_not_looked_at() -> None:
    assert StorageWatch(Settings()).look() is None
