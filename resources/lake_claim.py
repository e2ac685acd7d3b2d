"""Whose the lake is: its folder of files outside a home, and its catalogue in PostgreSQL, are one hub's.

Each hub removes what its own catalogue does not name, and its maintenance what no release of its own pins. The first
that writes leaves its claim, in `hub.csv` of the folder and in the catalogue's database; any other is refused.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from hdh_assets.core.home import Home
from hdh_assets.core.sql_text import literal
from resources.owner import Owner, claim_of_sql, claiming_sql, is_claimable_sql, must_claim, owner_of

CLAIM = "hub.csv"


def claim(home: Home, folder: str, engine: duckdb.DuckDBPyConnection, *, moved: bool = False) -> None:
    """Make `folder`, with its trailing slash, that of this hub's files, or see that it is.

    Raises `ConfigurationError` when the folder is another's.
    """
    address, own, said = f"{folder}{CLAIM}", owner_of(home), None
    # a pattern: a name as it is would be taken for there without asking
    if engine.execute("SELECT 1 FROM glob(?) WHERE file = ?", [f"{address}*", address]).fetchall():
        said = Owner.parse(engine.execute("SELECT content FROM read_text(?)", [address]).fetchall()[0][0])
    if must_claim(said, own, f"the lake's files in {folder} are those", "lake_data", moved=moved):
        if "://" not in folder:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        engine.execute(f"COPY (SELECT {literal(str(own))} AS hub) TO {literal(address)} (HEADER false, QUOTE '')")


class CatalogueClaim:
    """The claim on an attached lake's catalogue in PostgreSQL; `database` is what it is attached as.

    Making one raises `ConfigurationError` when the catalogue is another's. A home that only reads leaves no claim.
    """

    def __init__(
        self, home: Home, database: str, engine: duckdb.DuckDBPyConnection, *, read_only: bool, moved: bool
    ) -> None:
        self._database, self._engine = database, engine
        self._own, self._said = owner_of(home, make=not read_only), self._read()
        self._is_due = self._look(moved=moved)
        self.is_made = self._said is not None

    def make(self) -> None:
        """Leave the claim where that is due. Raises `ConfigurationError` when another home was faster."""
        if not self._is_due:
            return
        statements = "; ".join(claiming_sql("lake", self._said, self._own))
        self._engine.execute(f"CALL postgres_execute({literal(self._database)}, {literal(statements)})")
        self._said = self._read()
        self._look()

    def _look(self, *, moved: bool = False) -> bool:
        what = "the lake's catalogue in PostgreSQL is that"
        return must_claim(self._said, self._own, what, "lake_catalog", moved=moved)

    def _read(self) -> Owner | None:
        if self._ask(is_claimable_sql()) != [(True,)]:
            return None
        found = self._ask(claim_of_sql("lake"))
        return Owner.parse(str(found[0][0])) if found else None

    def _ask(self, query: str) -> list[tuple[object, ...]]:
        asked = f"SELECT * FROM postgres_query({literal(self._database)}, {literal(query)})"
        return self._engine.execute(asked).fetchall()
