"""dbt-duckdb plugin that attaches the hub's lake to dbt's connection, exactly as the rest of the hub does.

The home is named by `HDH_HOME`; dbt's profile holds no address and no secret.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from hdh_assets.core.crash import VARIABLE, crash_point
from hdh_assets.core.home import Home
from resources.lake import open_lake, prepare_engine


class Plugin(BasePlugin):
    """Named `Plugin` because dbt-duckdb looks for that name."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Load the extensions, bound memory and spill, attach the lake as `lake`."""
        lake = open_lake(Home.resolve())
        spill = os.environ.get("HDH_DBT_SPILL")
        prepare_engine(conn, lake.settings, Path(spill) if spill else None)
        lake.attach(conn)
        if VARIABLE in os.environ:
            conn.create_function("crash_point", _crash_point, ["VARCHAR"], "VARCHAR", side_effects=True)


def _crash_point(name: str) -> str:
    crash_point(name)
    return name
