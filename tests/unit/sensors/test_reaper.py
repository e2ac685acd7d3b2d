"""Runs whose process is gone: what a start and the running hub make of them, and what the sensors then do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.execute import execute
from hdh_assets.definitions.instance import prepare_instance
from hdh_assets.definitions.storage import opened_instance
from resources.run_locks import is_worked_on, working_on
from sensors import reaper
from sensors.reaper import reap, reap_at_start
from sensors.runs import may_try, tries, unfinished
from tests.failing_job import pooled

TAGS = {"hdh/work": "standardise", "hdh/due": "abc"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path)
    for variable, value in prepare_instance(made, Settings()).items():
        monkeypatch.setenv(variable, value)
    return made


@pytest.fixture
def instance(home: Home) -> Iterator[dg.DagsterInstance]:
    with opened_instance(home) as opened:
        yield opened


@pytest.fixture
def somebody(home: Home) -> Iterator[int]:
    """A process of this home, as every process of Dagster is; somebody wrote its path in another way."""
    environment = os.environ | {"DAGSTER_HOME": f"{os.environ['DAGSTER_HOME']}/."}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment) as process:
        yield process.pid
        process.kill()


def test_runs_killed_with_the_hub_are_no_failures_and_are_asked_for_at_once(
    home: Home, instance: dg.DagsterInstance
) -> None:
    for _ in range(4):
        run = _started(instance)
        assert reap_at_start(home, instance, keep_queued=True) == [_told(run)]
    past = tries(instance, TAGS)
    assert not unfinished(instance, TAGS)
    assert (past.failed, past.interrupted) == (0, 4)
    assert may_try(past, datetime.now(UTC))


def test_a_run_killed_while_the_hub_runs_is_ended_and_counts(
    home: Home, instance: dg.DagsterInstance, somebody: int
) -> None:
    """What it works on may be what killed it, by its need of memory."""
    run = _started(instance, somebody)
    assert reap(home, instance) == []
    os.kill(somebody, 9)
    assert reap(home, instance) == [_told(run)]
    assert tries(instance, TAGS).failed == 1


def test_a_process_that_has_the_number_of_a_dead_one_keeps_no_run_at_a_start(
    home: Home, instance: dg.DagsterInstance, somebody: int
) -> None:
    """In a container each command and its children have the same small numbers as those of the day before."""
    runs = [_started(instance, somebody), _started(instance, os.getpid())]
    assert sorted(reap_at_start(home, instance, keep_queued=True)) == sorted(map(_told, runs))


def test_a_run_just_begun_is_given_time_to_say_its_process(
    home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _started(instance)
    assert reap(home, instance) == []
    monkeypatch.setattr(reaper, "_STARTING", timedelta())
    assert reap(home, instance) == [_told(run)]


def test_a_run_of_a_command_lives_as_long_as_its_lock(home: Home, instance: dg.DagsterInstance) -> None:
    """In whatever container: a backfill goes on beside a hub that starts."""
    run = _started(instance, 2**22 + 1)  # no process has this number
    code = (
        "import sys; from resources.run_locks import working_on; from hdh_assets.core.home import Home\n"
        "with working_on(Home.resolve(), sys.argv[1]): print(flush=True); input()"
    )
    command = [sys.executable, "-c", code, run.run_id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as working:
        assert working.stdout
        working.stdout.readline()
        assert reap(home, instance) == []
        assert reap_at_start(home, instance, keep_queued=True) == []
        working.kill()
    assert is_worked_on(home, run.run_id) is False
    assert reap(home, instance) == [_told(run)]
    assert is_worked_on(home, run.run_id) is None


def test_a_run_that_ended_as_its_process_went_stays_what_it_is(home: Home, instance: dg.DagsterInstance) -> None:
    repository = dg.Definitions(jobs=[pooled]).get_repository_def()
    done = execute(home, repository, "hub", instance, dg.RunRequest(job_name="pooled"))
    assert reaper._fail(home, instance, done["run"], {}) == []
    assert is_worked_on(home, done["run"]) is None


def test_a_run_in_this_process_is_worked_on(home: Home, instance: dg.DagsterInstance) -> None:
    with working_on(home, _started(instance).run_id):
        assert reap(home, instance) == []
        assert reap_at_start(home, instance, keep_queued=True) == []


def test_a_pool_of_runs_gives_no_slot_that_would_have_to_be_freed(instance: dg.DagsterInstance) -> None:
    assert pooled.execute_in_process(instance=instance).success
    assert instance.event_log_storage.get_concurrency_keys() == set()


def _started(instance: dg.DagsterInstance, pid: int | None = None) -> dg.DagsterRun:
    """A run that is under way, of the process with that number."""
    run = instance.create_run_for_job(pooled, tags=TAGS)
    instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), run.run_id)
    if pid is not None:
        instance.report_engine_event("Started process for run", run, EngineEventData.in_process(pid))
    return run


def _told(run: dg.DagsterRun) -> str:
    return f"run {run.run_id[:8]}: its process is gone, marked failed"
