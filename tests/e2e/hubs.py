"""Whole hubs: deliveries of a fifth dataset, the `hdh` command, a running stack."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake.deliver import deliver
from hdh_assets.sources.intake.run import take_in
from resources.inbox import scan
from tests.settings import ask_here, forget_settings

HEADER = "READING_ID;USER_ID;WEIGHED_ON;WEIGHT_KG;POSTURE\n"
DATASET = "scale_readings"
FIFTH = Path(__file__).with_name("fifth.yaml")
"""Its descriptor."""
HDH = (sys.executable, "-P", "-m", "hdh_assets.cli")
"""The command. As its script does, it imports nothing from the folder it is called in."""
_TRAPS = ("dagster", "dagster_webserver", "dbt", "duckdb", "gql", "hdh_assets", "resources", "sensors", "yaml")


def make_fifth(root: Path, standardised: Path, patch: pytest.MonkeyPatch) -> Home:
    """A hub with that dataset at that root, the one `HDH_HOME` names for as long as the patch holds.

    Commands are then called in a folder with modules of the names of the hub's own and of libraries, which must never
    be imported.
    """
    forget_settings(patch, and_threads=True)
    patch.setenv("HDH_HOME", str(root))
    shutil.copytree(standardised, root)
    shutil.copy(FIFTH, root / "datasets" / FIFTH.name)
    patch.chdir(_made_trap(root.parent / "called in"))
    return Home.resolve(root)


def _made_trap(folder: Path) -> Path:
    for name in _TRAPS:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise RuntimeError('imported from the current folder')", "utf-8")
    return folder


def use_postgres(url: str, patch: pytest.MonkeyPatch) -> None:
    """Lake catalogue, registry, ledger and Dagster's storage in that database, for hubs made afterwards."""
    patch.setenv("HDH_LAKE_CATALOG", url)
    patch.setenv("HDH_DAGSTER_POSTGRES", url)
    patch.setenv("HDH_REGISTRY_URL", url)


def drop(home: Home, period: str, rows: int = 20, *, text: str | None = None) -> Path:
    """Drop a delivery of the fifth dataset: `rows` good rows, or this text after the header."""
    year, month = period.split("-")
    lines = [f"R{period}-{n};U{n % 5};{1 + n % 28:02}/{month}/{year};{60 + n % 30},5;1\n" for n in range(rows)]
    files = home.root / "made" / period
    files.mkdir(parents=True, exist_ok=True)
    (files / "READINGS.csv").write_text(HEADER + (text if text is not None else "".join(lines)), "utf-8")
    return deliver(home, load_datasets(home)[DATASET], period, [files / "READINGS.csv"])


def hdh(*arguments: str, expect: int = 0) -> str:
    """Run the command; its standard output. The test fails with what was said when the exit code is another."""
    done = subprocess.run([*HDH, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if expect == 0 else done.stdout + done.stderr


class Up:
    """A running `hdh up`; `url` is the address of the UI that is asked."""

    def __init__(self, home: Home, process: subprocess.Popen[str], url: str) -> None:
        self.home, self.process, self.url = home, process, url

    def for_readers(self) -> Up:
        """The same hub as people see it who only look."""
        return Up(
            self.home, self.process, json.loads((self.home.dagster / "up.json").read_text("utf-8"))["readers_url"]
        )

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Data of a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with ask_here(request, timeout=60) as answer:
            return dict(json.load(answer)["data"])

    def asset_keys(self) -> set[str]:
        """Assets the UI shows a definition of."""
        nodes = self.ask("{ assetNodes { assetKey { path } } }")["assetNodes"]
        return {"/".join(node["assetKey"]["path"]) for node in nodes}

    def materialised_partitions(self, *path: str) -> list[str]:
        """Partitions of an asset that were materialised."""
        query = """query($key: AssetKeyInput!) { assetOrError(assetKey: $key) {
            ... on Asset { assetMaterializations { partition } } } }"""
        found = self.ask(query, key={"path": list(path)})["assetOrError"]
        return [event["partition"] for event in found.get("assetMaterializations", ())]

    def last_answer(self, location: str, sensor: str) -> str:
        """Why the sensor asked for nothing when it was evaluated last."""
        query = """query($name: SensorSelector!) { sensorOrError(sensorSelector: $name) {
            ... on Sensor { sensorState { ticks(limit: 1) { skipReason } } } } }"""
        selector = {"repositoryLocationName": location, "repositoryName": "__repository__", "sensorName": sensor}
        ticks = self.ask(query, name=selector)["sensorOrError"]["sensorState"]["ticks"]
        return str(ticks[0]["skipReason"]) if ticks else ""


@contextmanager
def up(home: Home, *arguments: str) -> Iterator[Up]:
    """`hdh up` on a free port, started as a shell does in the background, Ctrl-C ignored, and stopped by Ctrl-C."""
    command = [*HDH, "up", "--port", "0", *arguments]
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$0" "$@"', *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = wait_for(lambda: _address(home, process.pid) or process.poll() is not None, 240)
        assert process.poll() is None, process.communicate()
        yield Up(home, process, url)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=90)


def _address(home: Home, pid: int) -> str | None:
    """Address of the UI of that very process, once it answers."""
    try:
        found = json.loads((home.dagster / "up.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return str(found["url"]) if found["pid"] == pid else None


def take_in_all(home: Home) -> None:
    """Take in what is in the inbox, without the rest of the hub."""
    datasets, settings = load_datasets(home), Settings.load(home)
    for dropped in scan(home, datasets):
        assert take_in(home, settings, datasets, dropped, run_id="test").status == "accepted"


def wait_for(condition: Callable[[], Any], seconds: float = 180) -> Any:
    """What the condition gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)
    return found


def processes_of(home: Home) -> list[int]:
    """Processes of any stack of that home."""
    mark = f"HDH_STACK={home.root}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes() and int(path.name) != os.getpid():
                found.append(int(path.name))
        except OSError:
            continue
    return found
