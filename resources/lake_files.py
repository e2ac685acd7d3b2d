"""Whether the files that the lake's catalogue names are there, each of the size it was written with."""

from __future__ import annotations

from pathlib import Path

import duckdb

from resources.lake import METADATA, Lake

_NAMED = f"""
    SELECT DISTINCT domain.path, named.path, file.path, file.file_size_bytes
    FROM (
        SELECT table_id, path, file_size_bytes FROM {METADATA}.ducklake_data_file
        UNION ALL
        SELECT table_id, path, file_size_bytes FROM {METADATA}.ducklake_delete_file
    ) AS file
    JOIN {METADATA}.ducklake_table AS named USING (table_id)
    JOIN {METADATA}.ducklake_schema AS domain USING (schema_id)
"""


def damaged_files(lake: Lake, engine: duckdb.DuckDBPyConnection) -> list[str]:
    """Files of the head or of any snapshot that are gone or of another size, below the folder of the lake's files.

    Nothing is read. Object storage is asked for names alone: it takes a file whole or not at all. Raises
    `duckdb.Error` when it does not answer.
    """
    look = _not_stored if lake.settings.is_lake_far else _not_whole
    # a maintenance may have removed a file just after it was named: it is then not named any more
    return sorted(found & look(lake, engine)) if (found := look(lake, engine)) else []


def _not_stored(lake: Lake, engine: duckdb.DuckDBPyConnection) -> set[str]:
    named = {"/".join(part.strip("/") for part in parts) for *parts, _ in engine.execute(_NAMED).fetchall()}
    stored = engine.execute("SELECT file FROM glob(?)", [f"{lake.data_path}**"]).fetchall()
    return named - {address.removeprefix(lake.data_path) for (address,) in stored}


def _not_whole(lake: Lake, engine: duckdb.DuckDBPyConnection) -> set[str]:
    root = Path(lake.data_path)
    found = set()
    for *parts, size in engine.execute(_NAMED).fetchall():
        path = root.joinpath(*parts)  # a part that is absolute hides those before it
        if not path.is_file() or path.stat().st_size != size:
            found.add(str(path.relative_to(root)) if path.is_relative_to(root) else str(path))
    return found
