"""dbt on one connection, in one transaction of the lake: every table of a build appears at once, or none does.

dbt-duckdb gives each node a connection of its own and commits after each. A lake of two hundred tables reads its
catalogue anew after every commit, which cost more than the models themselves, and a killed build left some tables new
and others old. ADR 0010 tells more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dbt.adapters.duckdb import environments
from dbt.adapters.duckdb.environments.local import LocalEnvironment

_ITS_OWN = frozenset({"BEGIN", "COMMIT"})
"""Statements by which dbt would cut the transaction at each node."""


class _Cursor:
    """Runs everything on the one connection but the ends of dbt's transactions."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, bindings: Any = None) -> Any:
        """As the engine does."""
        return self if sql.strip().upper() in _ITS_OWN else self._connection.execute(sql, bindings)


class _Handle:
    """What dbt opens and closes at each node; the connection behind it outlives the node.

    A failed node ends the build: nothing needs to be rolled back before the process does.
    """

    def __init__(self, connection: Any) -> None:
        self._cursor = _Cursor(connection)

    def cursor(self) -> _Cursor:
        """The one there is."""
        return self._cursor

    def close(self) -> None:
        """Leave the connection open."""

    def rollback(self) -> None:
        """Leave the transaction to the end of the process."""


class OneConnection(LocalEnvironment):
    """Every handle is the same connection, made at first use and kept until `close`. For one thread."""

    conn: Any

    def handle(self) -> _Handle:
        """The connection, its transaction begun."""
        with self.lock:
            if self.conn is None:
                self.conn = self.initialize_db(self.creds, self._plugins)
                self.initialize_cursor(self.creds, self.conn, self._plugins)
                self.conn.execute("BEGIN")
        return _Handle(self.conn)

    def commit(self) -> None:
        """Show everything written so far, and begin anew."""
        if self.conn is not None:
            self.conn.execute("COMMIT")
            self.conn.execute("BEGIN")


@contextmanager
def one_connection() -> Iterator[Callable[[], None]]:
    """Make dbt use one connection for as long as the block lasts; yields what commits.

    What was not committed at the end of the block is forgotten.
    """
    made: list[Any] = []

    def create(creds: Any) -> Any:
        # dbt asks again after each of its commands
        if not made:
            made.append(OneConnection(creds))
        return made[0]

    def commit() -> None:
        for environment in made:
            environment.commit()

    usual = environments.create
    environments.create = create
    try:
        yield commit
    finally:
        environments.create = usual
        for environment in made:
            environment.close()
