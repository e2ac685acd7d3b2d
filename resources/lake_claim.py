"""Whose a folder of lake files outside a home is: one hub's, since each removes what its own catalogue does not name.

The first that writes there leaves its name, `hub.csv`; any other is refused from then on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import duckdb

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.sql_text import literal

if TYPE_CHECKING:
    from resources.lake import Lake

CLAIM = "hub.csv"


def claim(lake: Lake, engine: duckdb.DuckDBPyConnection) -> None:
    """Make the folder of the lake's files this hub's, or see that it is.

    A hub is known by the folder of its home and by a number made once: a copy of a home is another hub.
    Raises `ConfigurationError` when the folder is another's.
    """
    address, own = f"{lake.data_path}{CLAIM}", f"{_number(lake)} {lake.home.root}"
    # a pattern: a name as it is would be taken for there without asking
    if engine.execute("SELECT 1 FROM glob(?) WHERE file = ?", [f"{address}*", address]).fetchall():
        [(said,)] = engine.execute("SELECT content FROM read_text(?)", [address]).fetchall()
    else:
        if not lake.settings.is_lake_far:
            Path(lake.data_path).mkdir(mode=0o700, parents=True, exist_ok=True)
        engine.execute(f"COPY (SELECT {literal(own)} AS hub) TO {literal(address)} (HEADER false, QUOTE '')")
        said = own
    if said.strip() != own:
        raise ConfigurationError(
            f"the lake's files in {lake.data_path} are those of another hub, in {said.strip().partition(' ')[2]}",
            remedy=f"give this hub another lake_data; if the other was this one and is no more, remove {address}",
        )


def _number(lake: Lake) -> str:
    path = lake.home.lake / "hub"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(uuid4().hex, "utf-8")
    return path.read_text("utf-8").strip()
