"""A hub's home for tests of standardisation: deliveries written straight into its lake, tables read back whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.keys import OMOP_DOMAINS
from hdh_assets.standard.runner import StandardiseResult, standardise
from resources.lake import Lake, open_lake
from resources.lake_tables import ensure_tables

TABLES = tuple(table for group in OMOP_DOMAINS.values() for table in group)


class StandardHub:
    """One home; every step is a few lines of a test."""

    def __init__(self, root: Path, base: Path | None = None, **settings: Any) -> None:
        """The hub in `root`: a copy of `base`, as from a backup, or what is there, or an empty one."""
        self.home = Home(root)
        if base is not None:
            shutil.copytree(base, root, dirs_exist_ok=True)
        root.mkdir(parents=True, exist_ok=True)
        self.settings = Settings(**settings)
        self.lake: Lake = open_lake(self.home, self.settings)
        with self.lake.writer() as engine:
            ensure_tables(engine, load_datasets())

    def deliver(self, write: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Run `write(engine, …)` on the lake."""
        with self.lake.writer() as engine:
            write(engine, *args, **kwargs)

    def standardise(self, **kwargs: Any) -> StandardiseResult:
        """Standardise, and insist that every model and test was good."""
        result = standardise(self.home, self.settings, **kwargs)
        assert [node for node in result.nodes if not node.is_good] == []
        return result

    def omop(self) -> dict[str, pa.Table]:
        """Every CDM table."""
        with self.lake.reader() as engine:
            return {table: engine.execute(f"FROM lake.omop.{table}").to_arrow_table() for table in TABLES}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the lake."""
        with self.lake.reader() as engine:
            return engine.execute(sql).fetchall()


def differences(left: dict[str, pa.Table], right: dict[str, pa.Table]) -> dict[str, tuple[int, int]]:
    """Rows on one side only, by table; empty when both are the same."""
    engine = duckdb.connect()
    found = {}
    for table in TABLES:
        engine.register("l", left[table])
        engine.register("r", right[table])
        counts = [
            engine.execute(f"SELECT count(*) FROM (FROM {a} EXCEPT ALL FROM {b})").fetchall()[0][0]
            for a, b in (("l", "r"), ("r", "l"))
        ]
        if any(counts):
            found[table] = (counts[0], counts[1])
    return found
