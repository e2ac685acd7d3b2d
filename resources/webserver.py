"""What the hub asks of its own webserver, by the interface its pages use. No Dagster here."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from hdh_assets.core.home import Home

ADDRESS = "up.json"
"""File of Dagster's folder in the home: where the running hub answers."""
_STATES = """{ workspaceOrError { ... on Workspace { locationEntries {
    name locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
_RELOAD = "mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"
_UNREACHABLE = "DagsterUserCodeUnreachableError"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""By no proxy, whatever the environment names: it is this machine that is asked."""


@dataclass(frozen=True)
class LocationState:
    """A code location as the webserver knows it; `problem` is empty for one that is not loaded yet, too."""

    name: str
    is_loaded: bool
    problem: str

    @property
    def is_unreachable(self) -> bool:
        """Whether nobody answers for it: its process is gone, its code may be sound."""
        return self.problem.startswith(f"dagster._core.errors.{_UNREACHABLE}") or self.problem.startswith(_UNREACHABLE)


def location_states(url: str, patience: float) -> list[LocationState]:
    """Every code location; empty while the webserver does not answer within so many seconds."""
    try:
        entries = _ask(url, _STATES, {}, patience)["data"]["workspaceOrError"]["locationEntries"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    states = []
    for entry in entries:
        found = entry["locationOrLoadError"] or {}
        is_loaded = found.get("__typename") == "RepositoryLocation"
        states.append(LocationState(entry["name"], is_loaded, found.get("message", "").strip()))
    return states


def reload_location(home: Home, name: str, patience: float = 5.0) -> bool:
    """Ask the webserver of this home to load a code location again; False when none answers."""
    try:
        url = json.loads((home.dagster / ADDRESS).read_text("utf-8"))["url"]
        _ask(url, _RELOAD, {"name": name}, patience)
    except TimeoutError:
        return True  # asked; loading takes its time
    except (OSError, ValueError, KeyError):
        return False
    return True


def _ask(url: str, query: str, variables: dict[str, Any], patience: float) -> Any:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(  # noqa: S310 - http, to this machine
        f"{url}/graphql", body, {"Content-Type": "application/json"}
    )
    with _DIRECT.open(request, timeout=patience) as answer:
        return json.load(answer)
