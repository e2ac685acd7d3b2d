"""Whose a folder of lake files outside a home is: one hub's, since each removes what its own catalogue does not name.

The first that writes there leaves its name, `hub.csv`; any other is refused from then on.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import duckdb

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.home import Home
from hdh_assets.core.sql_text import literal

CLAIM = "hub.csv"


def claim(home: Home, folder: str, engine: duckdb.DuckDBPyConnection) -> None:
    """Make `folder`, with its trailing slash, that of this hub's files, or see that it is.

    A hub is known by the folder of its home and by a number made once: a copy of a home is another hub.
    Raises `ConfigurationError` when the folder is another's.
    """
    address, own = f"{folder}{CLAIM}", f"{_number(home)} {home.root}"
    # a pattern: a name as it is would be taken for there without asking
    if engine.execute("SELECT 1 FROM glob(?) WHERE file = ?", [f"{address}*", address]).fetchall():
        [(said,)] = engine.execute("SELECT content FROM read_text(?)", [address]).fetchall()
    else:
        if "://" not in folder:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        engine.execute(f"COPY (SELECT {literal(own)} AS hub) TO {literal(address)} (HEADER false, QUOTE '')")
        said = own
    if said.strip() != own:
        raise ConfigurationError(
            f"the lake's files in {folder} are those of another hub, in {said.strip().partition(' ')[2]}",
            remedy=f"give this hub another lake_data; if the other was this one and is no more, remove {address}",
        )


def _number(home: Home) -> str:
    path = home.lake / "hub"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(uuid4().hex, "utf-8")
    return path.read_text("utf-8").strip()
