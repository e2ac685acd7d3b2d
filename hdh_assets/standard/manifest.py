"""The dbt manifest, made when the hub is installed or checked, never when its definitions are imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import ConfigurationError, HubError
from hdh_assets.standard.sources_yml import PROJECT, write_sources

MANIFEST = PROJECT / "target" / "manifest.json"


def dbt_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a process of dbt sees: `given`, and the hub's own environment but for the options of dbt that are in it.

    A `DBT_EMPTY` or `DBT_TARGET` that somebody keeps for another project would make other tables, or none.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    return {**inherited, **given, "DO_NOT_TRACK": "1"}


def build_manifest(datasets: Mapping[str, Dataset]) -> Path:
    """Write the dbt sources of these datasets and parse the project; gives the manifest's path.

    Needs no lake and no home. Raises `HubError` with dbt's own explanation when the project is wrong.
    """
    write_sources(datasets.values())
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [
                sys.executable,
                "-P",  # no module of the current folder
                "-c",
                "from dbt.cli.main import cli; cli()",
                "--quiet",
                "--no-use-colors",
                "parse",
                "--no-partial-parse",
                "--project-dir",
                str(PROJECT),
                "--profiles-dir",
                str(PROJECT),
                "--log-path",
                home,
            ],
            env=dbt_environment({"HDH_HOME": home}),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise HubError(
            f"the dbt project cannot be parsed:\n{done.stdout.strip()}", remedy="correct the models it names"
        )
    return MANIFEST


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the dbt project. Raises `ConfigurationError` when there is none that can be read."""
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, ValueError):
        state = "cannot be read" if path.exists() else "was never made"
        raise ConfigurationError(f"the dbt manifest {state}", remedy="run `hdh check --deep`, which makes it") from None
