"""Person numbers that the hub must look for in the extracts of retired releases, by revision of the book, and datasets
that may know these persons.

The trusted third party puts them there when it removes a person's rows; the hub forgets them once every extract was
looked at. A number is what OMOP calls a person, never an identity. They are kept beside the registry, not in it:
the registry forgets nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any, Self

import sqlalchemy as sa

from hdh_assets.core.home import Home, Settings
from resources.databases import claim_database, database_address, failures_told

_METADATA = sa.MetaData()
_NUMBERS = sa.Table(
    "opposed_number",
    _METADATA,
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
)
_DATASETS = sa.Table(
    "opposed_dataset",
    _METADATA,
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("dataset", sa.String, primary_key=True),
)


class OpposedNumbers:
    """The numbers of one home: SQLite in `registry/`, or the database of `registry_url`."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._address = database_address(home, settings, "opposed")
        with self._failures():
            self._engine = sa.create_engine(self._address, poolclass=sa.NullPool)
            if self._engine.dialect.name == "sqlite":
                sa.event.listen(self._engine, "connect", _overwrite_what_is_deleted)
            claim_database(self._engine, home, "the list of opposed numbers")
            _METADATA.create_all(self._engine)

    def put(self, revision: int, numbers: Collection[int], datasets: Collection[str]) -> None:
        """Ask for these numbers to be looked for, in what comes from these datasets; asking again changes nothing."""
        given: dict[sa.Column[Any], Collection[Any]] = {_NUMBERS.c.number: numbers, _DATASETS.c.dataset: datasets}
        with self._failures(), self._engine.begin() as connection:
            for column, values in given.items():
                table = column.table
                known = connection.execute(sa.select(column).where(table.c.revision == revision))
                if new := sorted(set(values) - set(known.scalars())):
                    connection.execute(sa.insert(table), [{"revision": revision, column.name: value} for value in new])

    def waiting(self) -> dict[int, set[int]]:
        """What is still to be looked for, by revision."""
        return self._by_revision(_NUMBERS.c.number)

    def datasets(self) -> dict[int, set[str]]:
        """Datasets that may know these persons, by revision; a revision that is not there did not tell."""
        return self._by_revision(_DATASETS.c.dataset)

    def _by_revision(self, column: sa.Column[Any]) -> dict[int, set[Any]]:
        found: dict[int, set[Any]] = {}
        with self._failures(), self._engine.connect() as connection:
            for row in connection.execute(sa.select(column.table.c.revision, column)).all():
                found.setdefault(row[0], set()).add(row[1])
        return found

    def forget(self, revision: int) -> None:
        """Everything was looked at for this revision and those before."""
        with self._failures(), self._engine.begin() as connection:
            for table in (_NUMBERS, _DATASETS):
                connection.execute(table.delete().where(table.c.revision <= revision))

    def _failures(self) -> AbstractContextManager[None]:
        return failures_told("the list of opposed numbers", self._address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()


def _overwrite_what_is_deleted(connection: object, _record: object) -> None:
    connection.execute("PRAGMA secure_delete = ON")  # type: ignore[attr-defined]
