"""Where an installation keeps everything it owns, and its settings.

`HDH_HOME` (default `./hub`) holds data, keys, logs and Dagster's own files; what a hub holds is written elsewhere only
where a setting or a command names the place.
Settings come from the environment (`HDH_…`) first, then from `$HDH_HOME/hdh.toml`. No file is opened at import.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hdh_assets.core.errors import ConfigurationError

SETTINGS_FILE = "hdh.toml"
MOST_THREADS = 1024
"""More than a machine has cores: beyond, threads only use up what its system can start."""
LEAST_MEMORY = 1_000_000_000
"""Bytes with which a delivery of millions of lines is taken in; half of that was too little for two."""
_UNITS = " KMGT"
_MISREAD = frozenset("?%\\")
_POSTGRES = r"^(postgresql://\S+)?$"


@dataclass(frozen=True)
class Home:
    """The folders of one installation. Paths only: creating them is `hdh init`'s work."""

    root: Path

    @classmethod
    def resolve(cls, given: Path | str | None = None) -> Home:
        """The home named by `--home`, else by `HDH_HOME`, else `./hub`; always absolute.

        Raises `ConfigurationError` when `--home` names nothing, as from a variable that is not set, or when its path
        has a character that Dagster's storage or the engine misreads.
        """
        if given is not None and not str(given):
            raise ConfigurationError("--home names no folder", remedy="name one, or leave it out for HDH_HOME or ./hub")
        root = Path(given or os.environ.get("HDH_HOME") or "hub").expanduser().resolve()
        if misread := sorted(_MISREAD & set(str(root))):
            raise ConfigurationError(
                f"the path of the home, {root}, has {' and '.join(misread)} in it, which databases misread",
                remedy="choose another folder, with --home or HDH_HOME",
            )
        return cls(root)

    @property
    def settings_file(self) -> Path:
        """`hdh.toml`, written by `hdh init`; its presence marks a home."""
        return self.root / SETTINGS_FILE

    @property
    def inbox(self) -> Path:
        """Dropped deliveries: `<producer>/<dataset>/<period>/`."""
        return self.root / "inbox"

    @property
    def outbox(self) -> Path:
        """Receipts, by producer."""
        return self.root / "outbox"

    @property
    def quarantine(self) -> Path:
        """Refused deliveries and rejected rows. Trusted third party only."""
        return self.root / "quarantine"

    @property
    def vault(self) -> Path:
        """Identities, correspondences and encrypted originals. Trusted third party only."""
        return self.root / "vault"

    @property
    def lake(self) -> Path:
        """Pseudonymised tables and, by default, their SQLite catalogue."""
        return self.root / "lake"

    @property
    def projects(self) -> Path:
        """Project spaces: `<project>/v<n>/`."""
        return self.root / "projects"

    @property
    def site(self) -> Path:
        """Public catalogue and register, static files."""
        return self.root / "site"

    @property
    def registry(self) -> Path:
        """Event log of governance and audit, and the intake ledger."""
        return self.root / "registry"

    @property
    def keys(self) -> Path:
        """Key files, mode 0600."""
        return self.root / "keys"

    @property
    def dagster(self) -> Path:
        """`DAGSTER_HOME`."""
        return self.root / "dagster"

    @property
    def datasets(self) -> Path:
        """Descriptors this installation adds to those of the package."""
        return self.root / "datasets"

    @property
    def tmp(self) -> Path:
        """Run-scoped folders, spill files included. Never holds an identifier in clear outside the vault."""
        return self.root / "tmp"

    @property
    def demonstration(self) -> Path:
        """Written by `hdh demo`: the options it was made with. Such a hub holds nothing real."""
        return self.root / "demo.json"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder `hdh init` creates."""
        return (
            self.inbox,
            self.outbox,
            self.quarantine,
            self.vault,
            self.lake,
            self.projects,
            self.site,
            self.registry,
            self.keys,
            self.dagster,
            self.datasets,
            self.tmp,
        )


class Settings(BaseSettings):
    """What an installation may change. Each field is an environment variable `HDH_<FIELD>` or a line of `hdh.toml`."""

    model_config = SettingsConfigDict(env_prefix="HDH_", extra="forbid", frozen=True)

    lake_catalog: str = Field(
        default="",
        pattern=_POSTGRES,
        description="PostgreSQL address of the lake's catalogue (`postgresql://…`); empty: SQLite in the home.",
    )
    lake_data: str = Field(
        default="",
        description="Folder or s3:// prefix of the lake's Parquet files; empty: in the home. S3 keys: AWS_… variables.",
    )
    lake_encrypted: bool = Field(default=False, description="Encrypt the lake's Parquet files at rest.")
    registry_url: str = Field(
        default="",
        pattern=_POSTGRES,
        description="PostgreSQL address of the event log and ledger; empty: SQLite in the home.",
    )
    dagster_postgres: str = Field(
        default="",
        pattern=_POSTGRES,
        description="PostgreSQL address of Dagster's storage; empty: SQLite in the home.",
    )
    vocab_dir: str = Field(
        default="",
        description="Folder of Athena CSV files, from the home if relative; empty: the built-in seed alone.",
    )
    memory_limit: str = Field(
        default="1GB",
        pattern=r"^\d+(\.\d+)? ?[KMGTkmgt]i?[Bb]$",
        description="Memory DuckDB may use in one process (DuckDB notation: 4GB, 2.5GiB); less than 1GB is for trials.",
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=MOST_THREADS,
        description=f"Threads of DuckDB in one process, at most {MOST_THREADS}; 0: one per core.",
    )
    max_expansion: int = Field(
        default=200, ge=1, description="A compressed file that grows more than this many times is refused as a bomb."
    )

    @property
    def memory_bytes(self) -> float:
        """`memory_limit` in bytes, as DuckDB reads it."""
        limit = self.memory_limit.upper()
        number, base = limit.rstrip("IB"), 1024 if "I" in limit else 1000
        return float(number[:-1]) * float(base ** _UNITS.index(number[-1]))

    @property
    def is_lake_far(self) -> bool:
        """Whether the lake's files are in object storage, whose keys the engine finds in the environment."""
        return "://" in self.lake_data

    @property
    def databases(self) -> tuple[str, ...]:
        """Addresses of the PostgreSQL databases in use."""
        return tuple(url for url in (self.lake_catalog, self.registry_url, self.dagster_postgres) if url)

    @classmethod
    def load(cls, home: Home, **overrides: Any) -> Settings:
        """Settings of this home: `overrides` (tests, options) before the environment before `hdh.toml`.

        `vocab_dir` is then absolute: whoever reads it may be in another folder.
        Raises `ConfigurationError` for an unreadable file, an unknown setting, a variable that nearly has the name of
        one, or a value of the wrong kind.
        """
        named = {name.lower().removeprefix("hdh_") for name in os.environ if name.lower().startswith("hdh_")}
        _refuse_misspelled(named, list(cls.model_fields))
        try:
            text = home.settings_file.read_text("utf-8-sig") if home.settings_file.exists() else ""
            in_file = {name: value for name, value in tomllib.loads(text).items() if name not in named}
            settings = cls(**(in_file | overrides))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problem = "not in UTF-8" if isinstance(error, UnicodeDecodeError) else f"not valid TOML: {error}"
            raise ConfigurationError(
                f"{home.settings_file}: {problem}", remedy="correct the file; `hdh init` writes a valid one"
            ) from None
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ConfigurationError(
                f"settings: {problems}", remedy=f"correct {home.settings_file} or the HDH_… environment variables"
            ) from None
        if not settings.vocab_dir:
            return settings
        return settings.model_copy(update={"vocab_dir": str(home.root / settings.vocab_dir)})


def _refuse_misspelled(named: Iterable[str], settings: list[str]) -> None:
    """Refuse variables that nobody reads and that were meant to be a setting: the hub would go on without it."""
    for name in sorted(set(named) - set(settings)):
        if meant := get_close_matches(name, settings, n=1, cutoff=0.75):
            raise ConfigurationError(
                f"the environment variable HDH_{name.upper()} is no setting of the hub",
                remedy=f"unset it, or call it HDH_{meant[0].upper()}",
            )
