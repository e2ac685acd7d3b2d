"""The engine's extensions: where PyPI packages put them, which are needed, and that each is what DuckDB signed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.files import write_atomically
from hdh_assets.core.home import Settings
from hdh_assets.core.sql_text import literal

_PROVED = ".proved"
"""Ending of the file beside an extension that says of which of its contents the signature was checked."""
_CHECKED: dict[Path, bytes] = {}
"""The same of what this process checked: nobody may be allowed to write beside an extension."""
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


def check_signatures(paths: Iterable[Path], *, anew: bool = False) -> None:
    """Have the engine check the signature of each file that changed since it last did; of each, if `anew`.

    The engine hashes the whole file, a tenth of a second each, and would at each connection of each process. So what it
    found is kept beside the file: who can write there can change the hub's code, too. Where nobody can, each process
    that opens the lake checks once. Raises `ConfigurationError` when a file is not what was signed.
    """
    stamps = {path: _stamp(path) for path in paths}
    fresh = [path for path, stamp in stamps.items() if anew or stamp not in (_CHECKED.get(path), _proof(path))]
    if not fresh:
        return
    with duckdb.connect(config=ONLY_OURS) as engine:
        for path in fresh:
            _load_signed(engine, path)
    for path in fresh:
        _CHECKED[path] = stamps[path]
        with suppress(OSError):
            write_atomically(path.with_name(path.name + _PROVED), stamps[path], is_durable=False)


def _load_signed(engine: duckdb.DuckDBPyConnection, path: Path) -> None:
    try:
        load_extensions(engine, [path])
    except (duckdb.Error, UnicodeDecodeError) as error:
        # a file that was cut has no footer to read, one of which bytes were changed there has another
        is_unreadable = isinstance(error, duckdb.InvalidInputException | UnicodeDecodeError)
        if not is_unreadable and "signature" not in str(error):
            raise
        package = _package(path.stem).replace("_", "-")
        raise ConfigurationError(
            f"the DuckDB extension {path.stem} is not what DuckDB {duckdb.__version__} takes: {path} is damaged, was "
            "changed or is of another version",
            remedy=f"install it anew: pip install --force-reinstall --no-deps {package}=={version(package)}",
        ) from None


def _stamp(path: Path) -> bytes:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}\n".encode()


def _proof(path: Path) -> bytes:
    try:
        return path.with_name(path.name + _PROVED).read_bytes()
    except OSError:
        return b""


def _package(name: str) -> str:
    return f"duckdb_extension_{name}"


def _extension_path(name: str) -> Path:
    package = _package(name)
    spec = importlib.util.find_spec(package)
    found = spec and spec.origin and next(Path(spec.origin).parent.rglob(f"{name}.duckdb_extension"), None)
    if not found:
        raise ConfigurationError(
            f"the DuckDB extension {name} is not installed", remedy=f"pip install {package.replace('_', '-')}"
        )
    return found
