"""The engine's extensions: where PyPI packages put them, which are needed, and that each is what DuckDB signed."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.home import Settings
from hdh_assets.core.sql_text import literal

PROVED = "DUCKDB_EXTENSIONS_PROVED"
"""Variable that tells a process's children which files need not be checked again, as JSON: size and time by path."""
ONLY_OURS: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
"""Configuration of an engine that loads no extension but those it is told to."""
_EXTENSIONS = ("httpfs", "sqlite_scanner", "postgres_scanner", "ducklake")


def extension_paths() -> dict[str, Path]:
    """DuckDB extension files carried by PyPI packages, by extension, in loading order.

    `httpfs` comes first: it carries the encryption that encrypted files and spill need.
    Raises `ConfigurationError` naming the package to install.
    """
    return {name: _extension_path(name) for name in _EXTENSIONS}


def needed_extensions(settings: Settings, *, will_spill: bool) -> list[Path]:
    """Files of the extensions this installation uses, in loading order: each costs a connection some milliseconds."""
    needed = {
        "httpfs": settings.lake_encrypted or will_spill or settings.is_lake_far,
        "sqlite_scanner": not settings.lake_catalog,
        "postgres_scanner": bool(settings.lake_catalog),
        "ducklake": True,
    }
    return [_extension_path(name) for name in _EXTENSIONS if needed[name]]


def load_extensions(engine: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> None:
    """Load what `check_signatures` has proved into an engine that takes unsigned extensions."""
    for path in paths:
        engine.execute(f"LOAD {literal(path)}")


def check_signatures(paths: Iterable[Path]) -> None:
    """Have the engine check the signature of each file that this process, or the one it comes from, has not loaded.

    The engine hashes the whole file, a tenth of a second each, and would at each connection. Who can write to the
    environment of the hub's processes can make them run anything: what they inherit is as good as what they did.
    Raises `duckdb.Error` when a file is not what was signed.
    """
    proved = json.loads(os.environ.get(PROVED, "{}"))
    stamps = {str(path): [path.stat().st_size, path.stat().st_mtime_ns] for path in paths}
    fresh = {path: stamp for path, stamp in stamps.items() if proved.get(path) != stamp}
    if not fresh:
        return
    with duckdb.connect(config=ONLY_OURS) as engine:
        load_extensions(engine, map(Path, fresh))
    os.environ[PROVED] = json.dumps(proved | fresh)


def _extension_path(name: str) -> Path:
    package = f"duckdb_extension_{name}"
    spec = importlib.util.find_spec(package)
    found = spec and spec.origin and next(Path(spec.origin).parent.rglob(f"{name}.duckdb_extension"), None)
    if not found:
        raise ConfigurationError(
            f"the DuckDB extension {name} is not installed", remedy=f"pip install {package.replace('_', '-')}"
        )
    return found
