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
_HEARTBEATS = "{ instance { daemonHealth { allDaemonStatuses { daemonType lastHeartbeatTime } } } }"
_SWITCHES = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    ... on RepositoryLocation { repositories {
        sensors { name sensorState { status } } schedules { name scheduleState { status } } } } } } } } }"""
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


def heartbeats(url: str, patience: float) -> dict[str, float]:
    """When each part of the daemon was heard of last, by Dagster's name of it; 0 for never.

    Empty while the webserver, or the storage behind it, does not answer within so many seconds.
    """
    try:
        parts = _ask(url, _HEARTBEATS, {}, patience)["data"]["instance"]["daemonHealth"]["allDaemonStatuses"]
        return {part["daemonType"]: part["lastHeartbeatTime"] or 0.0 for part in parts}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def turned_off(url: str, patience: float) -> list[str]:
    """Sensors and schedules that somebody turned off in the UI; none while the webserver does not answer.

    Those of the hub are on by themselves.
    """
    try:
        entries = _ask(url, _SWITCHES, {}, patience)["data"]["workspaceOrError"]["locationEntries"]
        repositories = [r for e in entries for r in (e["locationOrLoadError"] or {}).get("repositories", ())]
        switches = [(each["name"], each["sensorState"]["status"]) for r in repositories for each in r["sensors"]]
        switches += [(each["name"], each["scheduleState"]["status"]) for r in repositories for each in r["schedules"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return sorted(name for name, status in switches if status == "STOPPED")


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
