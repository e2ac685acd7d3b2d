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
        remedy = _IN_HOME if address.startswith("sqlite") else f"start PostgreSQL, or correct {setting}"
        if _is_damaged(error):
            remedy = f"the file is damaged: restore {address.removeprefix('sqlite:///')} from a backup"
        raise HubError(
            f"{what} cannot be used ({type(error).__name__})", remedy=f"{remedy}; then do it again"
        ) from None


def check_answers(what: str, url: str, setting: str) -> None:
    """Raise `HubError` when the PostgreSQL that `setting` names for `what` does not answer."""
    with failures_told(what, url, setting):
        engine = sa.create_engine(_with_driver(url), poolclass=sa.NullPool)
        engine.connect().close()


def _is_damaged(error: Exception) -> bool:
    """Whether SQLite says that its file is none, or not whole."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}  # the upper bits say where


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
