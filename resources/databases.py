"""The hub's small databases (event log, intake ledger, opposed numbers): SQLite files of the home, or `registry_url`.

Here: where each is, whether it answers, and what its failures say. What a database says itself quotes statements and
values, so that none of it goes further.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from resources.owner import Owner, Part, claim_of_sql, claiming_sql, is_claimable_sql, must_claim, owner_of
from resources.postgres import connection_error

_IN_HOME = "free space in the home and check that registry/ can be written"


def database_address(home: Home, settings: Settings, name: str) -> str:
    """SQLAlchemy address of the database of that name: its own file, whose folder is made, or the one they share."""
    if settings.registry_url:
        return _with_driver(settings.registry_url)
    home.registry.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{home.registry / f'{name}.sqlite'}"


@contextmanager
def failures_told(what: str, address: str, setting: str = "registry_url") -> Iterator[None]:
    """Turn what goes wrong inside into a `HubError`: `what` (as a subject), the kind of error and what to do."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, ValueError) as error:  # an address that is none is a ValueError
        if _is_unconnected(error):
            raise connection_error(what, setting, str(error)) from None
        remedy = _IN_HOME if address.startswith("sqlite") else f"start PostgreSQL, or correct {setting}"
        if _is_damaged(error):
            remedy = f"the file is damaged: restore {address.removeprefix('sqlite:///')} from a backup"
        raise HubError(
            f"{what} cannot be used ({type(error).__name__})", remedy=f"{remedy}; then do it again"
        ) from None


def claim_database(engine: sa.Engine, home: Home, what: str, *, moved: bool = False) -> None:
    """Make the database of `registry_url` this hub's, or see that it is; `what` (as a subject) is about to be used.

    A database in the home is its own. With `moved` somebody said that the home has come here and works nowhere else.
    Raises `ConfigurationError` when the database is another hub's.
    """
    if engine.dialect.name == "sqlite":
        return
    _claim(engine, home, "registry", what, "registry_url", moved=moved)


def claim_storage(home: Home, settings: Settings, *, moved: bool = False) -> None:
    """Make Dagster's storage in PostgreSQL this hub's, or see that it is; a storage in the home is its own.

    Two hubs would run each other's sensors and call each other's runs dead. `moved` as in `claim_database`. Raises
    `HubError` when it does not answer, `ConfigurationError` when it is another hub's.
    """
    what, setting = "Dagster's storage", "dagster_postgres"
    if url := settings.dagster_postgres:
        with failures_told(what, url, setting):
            engine = sa.create_engine(_with_driver(url), poolclass=sa.NullPool)
            _claim(engine, home, "storage", what, setting, moved=moved)


class StorageWatch:
    """Whether Dagster's storage in PostgreSQL answers; what changed is told once. One in the home is not looked at."""

    _WHAT, _SETTING, _PATIENCE_SECONDS = "Dagster's storage", "dagster_postgres", 5

    def __init__(self, settings: Settings) -> None:
        self._url = settings.dagster_postgres
        self._is_away = False

    def look(self) -> str | None:
        """What changed since the last look, in words."""
        said = self._problem() if self._url else None
        was_away, self._is_away = self._is_away, said is not None
        if was_away and not self._is_away:
            return f"{self._WHAT} in PostgreSQL answers again"
        return None if was_away else said

    def _problem(self) -> str | None:
        try:
            with failures_told(self._WHAT, self._url, self._SETTING):
                options = {"connect_timeout": self._PATIENCE_SECONDS}
                engine = sa.create_engine(_with_driver(self._url), poolclass=sa.NullPool, connect_args=options)
                engine.connect().close()
        except HubError as error:
            return f"{error.message}, and nothing runs until it does: {error.remedy}"
        return None


def _claim(engine: sa.Engine, home: Home, part: Part, what: str, setting: str, *, moved: bool) -> None:
    own, what = owner_of(home), f"{what} in PostgreSQL is that"
    with engine.begin() as connection:
        said = _said(connection, part)
        if must_claim(said, own, what, setting, moved=moved):
            for statement in claiming_sql(part, said, own):
                connection.exec_driver_sql(statement)
            must_claim(_said(connection, part), own, what, setting)


def _said(connection: sa.Connection, part: Part) -> Owner | None:
    if not connection.execute(sa.text(is_claimable_sql())).scalar_one():
        return None
    found = connection.execute(sa.text(claim_of_sql(part))).scalar()
    return Owner.parse(found) if found else None


def _is_unconnected(error: Exception) -> bool:
    """Whether PostgreSQL was not reached, or let nobody in: what it says of a statement has a code."""
    return isinstance(error, sa.exc.OperationalError) and getattr(error.orig, "sqlstate", "") is None


def _is_damaged(error: Exception) -> bool:
    """Whether SQLite says that its file is none, or not whole."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}  # the upper bits say where


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
