"""A real `hdh up`: real drops, a real grant, a second hub, a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hubs import DATASET, FIFTH, HDH, Up, drop, hdh, make_fifth, processes_of, up, wait_for

from hdh_assets.core.home import Home, Settings
from resources.lake import open_lake
from resources.ledger import Ledger
from resources.vault import is_run_alive
from resources.webserver import heartbeats, turned_off

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


DOSSIER = """
project: weights
title: Weights measured at home
purpose: See that an extract of delivered tables can be made.
public_interest: None, this is a test on synthetic data.
controller: {name: Laboratory, contact: data@laboratory.example}
team: [{name: A. Tester, affiliation: Laboratory}]
legal_basis: "GDPR art. 6(1)(e) and 9(2)(j), a test"
period: {from: 2024-01-01, to: 2024-12-31}
tables: {scale_readings.readings: all}
retention_until: 2099-12-31
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, standardised: Path) -> Iterator[Up]:
    """One running hub for all, since it takes a while to start: a drop was taken in, standardised and described.

    Its environment names a proxy, at which nobody answers.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy"):
            patch.setenv(name, "http://127.0.0.1:9")
        home = make_fifth(tmp_path_factory.mktemp("up") / "hub", standardised, patch)
        with up(home, "--readers-port", "0") as running:
            drop(home, "2024-01")
            wait_for(lambda: running.materialised_partitions("sources", DATASET, "readings") == ["2024-01"])
            wait_for(lambda: running.materialised_partitions("catalog", "datasets", DATASET), 300)
            yield running
        assert not processes_of(home)
        assert not (home.dagster / "up.json").exists()


def test_a_second_hub_is_refused(served: Up) -> None:
    said = hdh("tick", expect=1)
    assert f"process {served.process.pid}" in said.replace("\n", " ")
    assert "hdh up" in hdh("up", "--port", "0", expect=1)


def test_a_grant_makes_an_extract_appear_without_a_restart(served: Up, tmp_path: Path) -> None:
    (tmp_path / "dossier.yaml").write_text(DOSSIER, "utf-8")
    hdh("project", "submit", str(tmp_path / "dossier.yaml"))
    hdh("committee", "opinion", "weights", "--favourable")
    hdh("permit", "grant", "weights")
    granted = time.monotonic()
    wait_for(lambda: "extracts/weights/scale_readings__readings" in served.asset_keys())
    wait_for((served.home.projects / "weights" / "v1" / "manifest.json").exists)
    print(f"extract delivered {time.monotonic() - granted:.0f} s after the grant")
    wait_for(lambda: "extracts/weights/scale_readings__readings" in served.for_readers().asset_keys())


def test_a_run_started_again_in_the_ui_loads_its_delivery_again(served: Up) -> None:
    count = f"SELECT count(*) n, count(DISTINCT _delivery) d FROM {DATASET}.readings"
    before = hdh("sql", "--json", count)
    runs = '{ runsOrError(filter: {tags: {key: "hdh/work", value: "intake"}}) { ... on Runs { results { runId } } } }'
    first = served.ask(runs)["runsOrError"]["results"][-1]["runId"]
    again = """mutation($run: String!) { launchRunReexecution(
        reexecutionParams: {parentRunId: $run, strategy: ALL_STEPS}) { ... on LaunchRunSuccess { run { runId } } } }"""
    started = served.ask(again, run=first)["launchRunReexecution"]["run"]["runId"]
    status = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
    wait_for(lambda: served.ask(status, run=started)["runOrError"]["status"] in {"SUCCESS", "FAILURE"})
    assert served.ask(status, run=started)["runOrError"]["status"] == "SUCCESS"
    assert hdh("sql", "--json", count) == before
    assert served.materialised_partitions("sources", DATASET, "readings") == ["2024-01", "2024-01"]


@pytest.mark.slow
def test_a_code_location_whose_process_ended_is_loaded_again(served: Up) -> None:
    """Dagster's server of code ends where it hears nothing for half a minute, and nothing starts it again."""
    known = served.asset_keys()
    servers = [
        pid
        for pid in processes_of(served.home)
        if b"--lazy-load-user-code" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert len(servers) == 2
    for pid in servers:
        _kill(pid)
    wait_for(lambda: served.asset_keys() != known)
    wait_for(lambda: served.asset_keys() == known)
    drop(served.home, "2024-03")
    wait_for(lambda: "2024-03" in served.materialised_partitions("sources", DATASET, "readings"))


@pytest.mark.slow
@pytest.mark.parametrize("work", ["backfill", "intake"])
def test_what_is_killed_keeps_nothing_waiting(served: Up, work: str) -> None:
    """The only place for a writer would be a dead run's until the hub starts again."""
    # a standardisation that waits for the lock, too, would be before it in the queue
    wait_for(lambda: _is_all_released(served) and not _unfinished(served), 300)
    period, known = {"backfill": "2024-04", "intake": "2024-05"}[work], set(_runs_of(served, work))
    with open_lake(served.home).writer_lock():  # what takes in waits for it
        if work == "backfill":
            command = [*HDH, "backfill", DATASET, "--from", "2024-01"]
            with subprocess.Popen(command, stderr=subprocess.DEVNULL) as asking:
                wait_for(lambda: _takes_in(served.home))
                asking.kill()
        else:
            drop(served.home, period)
            wait_for(lambda: _takes_in(served.home))
            (worker,) = _workers(served.home)
            for pid in (_parent(worker), worker):
                _kill(pid)
        wait_for(lambda: not _takes_in(served.home), 10)
    (killed,) = set(_runs_of(served, work)) - known
    if work == "backfill":
        drop(served.home, period)
    wait_for(lambda: period in served.materialised_partitions("sources", DATASET, "readings"))
    assert _runs_of(served, work)[killed] == "FAILURE"
    wait_for(lambda: not Ledger(served.home, Settings.load(served.home)).under_way())
    assert not list((served.home.vault / "tmp").glob("*/"))


@pytest.mark.slow
def test_a_descriptor_written_while_the_hub_runs_is_loaded_without_a_restart(served: Up) -> None:
    second = served.home.datasets / "second.yaml"
    text = FIFTH.read_text("utf-8")
    second.write_text(text.replace(f"id: {DATASET}", "id: second_scales").replace("family:", "familly:"), "utf-8")
    wait_for(lambda: "nothing is run until it is corrected" in served.last_answer("hub", "descriptors_of_hub"))
    wait_for(lambda: "nothing is run until it is corrected" in served.last_answer("hub", "standardisation"))
    second.write_text(text.replace(f"id: {DATASET}", "id: second_scales"), "utf-8")
    keys = {"sources/second_scales/readings", "catalog/datasets/second_scales"}
    wait_for(lambda: keys <= served.asset_keys())
    second.unlink()
    wait_for(lambda: not keys & served.asset_keys())


def test_readers_see_all_and_start_nothing(served: Up) -> None:
    selector = '{repositoryLocationName: "hub", repositoryName: "__repository__", sensorName: "decisions"}'
    start = f"mutation {{ startSensor(sensorSelector: {selector}) {{ __typename }} }}"
    assert served.ask(start) == {"startSensor": {"__typename": "Sensor"}}
    readers = served.for_readers()
    assert readers.ask(start) == {"startSensor": {"__typename": "UnauthorizedError"}}
    wait_for(lambda: readers.asset_keys() == served.asset_keys())


def test_what_is_turned_off_in_the_ui_is_told_and_the_daemon_is_heard_of(served: Up) -> None:
    selector = '{repositoryLocationName: "hub", repositoryName: "__repository__", sensorName: "decisions"}'
    state = f"{{ sensorOrError(sensorSelector: {selector}) {{ ... on Sensor {{ sensorState {{ id }} }} }} }}"
    stop = "mutation($id: String!) { stopSensor(id: $id) { __typename } }"
    said = served.ask(stop, id=served.ask(state)["sensorOrError"]["sensorState"]["id"])
    assert said == {"stopSensor": {"__typename": "StopSensorMutationResult"}}
    try:
        wait_for(lambda: turned_off(served.url, patience=60) == ["decisions"], 60)
    finally:
        served.ask(f"mutation {{ startSensor(sensorSelector: {selector}) {{ __typename }} }}")
    wait_for(lambda: turned_off(served.url, patience=60) == [], 60)
    heard = heartbeats(served.url, patience=60)
    assert all(time.time() - heard[part] < 180 for part in ("SENSOR", "QUEUED_RUN_COORDINATOR"))


@pytest.mark.browser
def test_pages_load_in_a_browser(served: Up) -> None:
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        for path, words in {
            "/asset-groups": ["sources", "staging", "omop", "catalog"],
            f"/assets/sources/{DATASET}/readings": ["Readings", "weight_kg", "trusted_third_party"],
            f"/assets/catalog/datasets/{DATASET}": ["Connected scales", "last deliveries", "hub"],
            "/runs": ["standardise"],
            "/automation": ["deliveries", "decisions", "standardisation", "nightly_maintenance"],
        }.items():
            page.goto(served.url + path, wait_until="domcontentloaded", timeout=120_000)
            for word in words:
                page.get_by_text(word).first.wait_for(timeout=120_000)
        assert not errors
        browser.close()


@pytest.mark.slow
def test_after_kill_the_next_start_goes_on(fifth: Home) -> None:
    drop(fifth, "2024-01")
    environment = os.environ | {"HDH_CRASH_AT": "intake.before_commit"}
    first = subprocess.Popen([*HDH, "up", "--port", "0"], env=environment)
    wait_for((fifth.dagster / "up.json").exists, 240)
    wait_for(lambda: Ledger(fifth, Settings.load(fifth)).attempts())
    for pid in [first.pid, *processes_of(fifth)]:
        _kill(pid)
    first.wait()
    with up(fifth) as running:
        wait_for(lambda: running.materialised_partitions("sources", DATASET, "readings") == ["2024-01"])
        wait_for(lambda: not _unfinished(running))
    assert json.loads(hdh("sql", "--json", f"SELECT count(*) n FROM {DATASET}.readings")) == [{"n": 20}]


def _is_all_released(running: Up) -> bool:
    """Whether the newest release holds each period that was taken in, as the hub's own sensor would say."""
    taken = running.materialised_partitions("sources", DATASET, "readings")
    newest = json.loads(hdh("release", "list", "--json"))[-1]
    return bool(newest["deliveries"] == len(set(taken)))


def _unfinished(running: Up) -> list[str]:
    query = "{ runsOrError(filter: {statuses: [STARTED, STARTING, QUEUED]}) { ... on Runs { results { id } } } }"
    return [run["id"] for run in running.ask(query)["runsOrError"]["results"]]


def _runs_of(running: Up, work: str) -> dict[str, str]:
    """Status of each run of that work."""
    query = """query($work: String!) { runsOrError(filter: {tags: {key: "hdh/work", value: $work}}) {
        ... on Runs { results { id status } } } }"""
    return {run["id"]: run["status"] for run in running.ask(query, work=work)["runsOrError"]["results"]}


def _takes_in(home: Home) -> bool:
    return any(is_run_alive(home, folder.name) for folder in (home.vault / "tmp").glob("*/"))


def _workers(home: Home) -> list[int]:
    """Processes of runs, each begun by a server of code."""
    servers = {pid for pid in processes_of(home) if b"grpc" in _command(pid)}
    return [pid for pid in processes_of(home) if _parent(pid) in servers and b"spawn_main" in _command(pid)]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
