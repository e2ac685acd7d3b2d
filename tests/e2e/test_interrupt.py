"""`hdh tick` that is stopped, and work that fails: what goes on at once, and what waits."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hubs import DATASET, HDH, drop, hdh, processes_of, take_in_all, wait_for

from hdh_assets.core.home import Home, Settings
from resources.lake import open_lake
from resources.ledger import Ledger

PERIODS = ["2024-01", "2024-02"]


def test_stopped_during_intake_it_leaves_nothing_behind_and_the_next_goes_on(fifth: Home) -> None:
    """By either signal, sent to that process alone, which a shell started in the background with SIGINT ignored."""
    for period in PERIODS:
        drop(fifth, period)
    for sent in (signal.SIGINT, signal.SIGTERM):
        _stop_while_taking_in(fifth, sent)
    done = json.loads(hdh("tick", "--json"))
    assert all(run["success"] for run in done["runs"])
    assert done["postponed"] == []
    rows = hdh("sql", "--json", f"SELECT _period p, count(*) n FROM {DATASET}.readings GROUP BY 1 ORDER BY 1")
    assert json.loads(rows) == [{"p": period, "n": 20} for period in PERIODS]


@pytest.mark.parametrize("sent", [signal.SIGINT, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_a_stopped_backfill_leaves_no_run_under_way(fifth: Home, sent: signal.Signals) -> None:
    """It would keep the only place for a writer. A terminal sends its Ctrl-C to every process of its own."""
    drop(fifth, "2024-01")
    take_in_all(fifth)
    # as in a terminal: whoever runs the tests may have had the signal ignored
    command = ["env", "--default-signal=HUP", *HDH]
    command += ["backfill", DATASET, "--from", "2024-01"]
    with (
        open_lake(fifth).writer_lock(),
        subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, text=True) as asking,
    ):
        try:
            wait_for(lambda: list((fifth.vault / "tmp").glob("*/")))
            os.killpg(asking.pid, sent) if sent is signal.SIGINT else asking.send_signal(sent)
            said = asking.communicate(timeout=60)[1]
        finally:
            asking.kill()
    assert (asking.returncode, said.splitlines()[-1]) == (130, "stopped")
    assert _statuses(fifth) == ["FAILURE"]
    assert not list((fifth.vault / "tmp").glob("*/"))


def _statuses(home: Home) -> list[str]:
    with closing(sqlite3.connect(home.dagster / "history" / "runs.db")) as runs:
        return [status for (status,) in runs.execute("SELECT status FROM runs ORDER BY id")]


def test_a_killed_backfill_takes_its_child_with_it(fifth: Home) -> None:
    """It would load on without the lock, beside the next one."""
    drop(fifth, "2024-01")
    take_in_all(fifth)
    command = [*HDH, "backfill", DATASET, "--from", "2024-01"]
    with open_lake(fifth).writer_lock(), subprocess.Popen(command, stderr=subprocess.DEVNULL) as asking:
        try:
            wait_for(lambda: list((fifth.vault / "tmp").glob("*/")))  # it takes in, and waits for the lock
            (child,) = _children(asking.pid)
        finally:
            asking.kill()
        wait_for(lambda: not Path("/proc", str(child), "cmdline").exists(), 10)


@pytest.mark.slow
def test_a_tick_killed_in_a_container_is_made_up_for_by_the_next(fifth: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes have the same numbers as those of the tick before."""
    container = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if not shutil.which("unshare") or subprocess.run([*container, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespace of processes can be made here")
    drop(fifth, "2024-01")
    command = [*container, *HDH, "tick", "--json"]
    monkeypatch.setenv("HDH_CRASH_AT", "intake.before_commit")
    assert subprocess.run(command, capture_output=True, check=False).returncode
    monkeypatch.delenv("HDH_CRASH_AT")
    done = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert next(run["what"] for run in done["runs"] if run["success"]) == f"take in {DATASET} 2024-01"


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path("/proc", str(pid), "task", str(pid), "children").read_text().split()]


@pytest.mark.slow
def test_what_fails_twice_waits_and_is_told(fifth: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(fifth, "2024-01")
    take_in_all(fifth)
    monkeypatch.setenv("HDH_VOCAB_DIR", str(fifth.root / "nowhere"))
    for _ in range(2):
        assert "standardise" in hdh("tick", "--json", expect=1)
    done = json.loads(hdh("tick", "--json"))
    assert done["runs"] == []
    (told,) = done["postponed"]
    assert told.startswith("standardisation: the same work failed 2 times; look at its runs. It is tried again after")


def test_a_long_query_ends_at_once(fifth: Home) -> None:
    """The engine by itself would first end the query, and call the stop an error."""
    query = "SELECT sum(hash(range)) FROM range(100000000000)"
    command = [*HDH, "sql", query]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asking:
        try:
            wait_for(lambda: _has_open(asking.pid, fifth.lake / "catalog.sqlite"))
            asking.send_signal(signal.SIGINT)
            said = asking.communicate(timeout=60)[1]
        finally:
            asking.kill()
    assert (asking.returncode, said) == (130, "stopped\n")


def _has_open(pid: int, path: Path) -> bool:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            found.add(str(link.readlink()))
    return str(path) in found


def _stop_while_taking_in(home: Home, sent: signal.Signals) -> None:
    ledger = Ledger(home, Settings.load(home))
    known = len(ledger.attempts())
    command = ["sh", "-c", 'trap "" INT; exec "$0" "$@" tick', *HDH]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as stopped:
        try:
            wait_for(lambda: len(ledger.attempts()) > known)
            stopped.send_signal(sent)
            said = stopped.communicate(timeout=60)[1]
        finally:
            stopped.kill()
    assert stopped.returncode == 130
    assert "Traceback" not in said
    assert not processes_of(home)
