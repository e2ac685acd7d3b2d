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


def build_manifest(datasets: Mapping[str, Dataset]) -> Path:
    """Write the dbt sources of these datasets and parse the project; gives the manifest's path.

    Needs no lake and no home. Raises `HubError` with dbt's own explanation when the project is wrong.
    """
    write_sources(datasets.values())
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [
                sys.executable,
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
            env=os.environ | {"HDH_HOME": home, "DO_NOT_TRACK": "1"},
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
    """The manifest of the dbt project. Raises `ConfigurationError` when there is none."""
    if not path.exists():
        raise ConfigurationError("the dbt manifest was never made", remedy="run `make setup` or `hdh check --deep`")
    return dict(json.loads(path.read_text("utf-8")))
