"""The code locations: their names, and what `workspace.yaml` says of each. No Dagster here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

TRUSTED_THIRD_PARTY = "trusted_third_party"
HUB = "hub"
WORKSPACE = Path(__file__).resolve().parents[2] / "workspace.yaml"


@dataclass(frozen=True)
class Location:
    """A code location of the workspace: the name people see and the module Dagster loads."""

    name: str
    module: str


def locations(workspace: Path = WORKSPACE) -> list[Location]:
    """The code locations `workspace.yaml` names, in its order: what delivers before what reads."""
    entries = [entry["python_module"] for entry in yaml.safe_load(workspace.read_text("utf-8"))["load_from"]]
    return [Location(entry["location_name"], entry["module_name"]) for entry in entries]
