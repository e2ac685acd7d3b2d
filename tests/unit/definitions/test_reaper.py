"""Runs whose process is gone: what the next start makes of them, and what the sensors then do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.instance import prepare_instance
from hdh_assets.definitions.reaper import reap
from hdh_assets.definitions.storage import opened_instance
from sensors.runs import may_try, tries, unfinished
from tests.failing_job import pooled

TAGS = {"hdh/work": "standardise", "hdh/due": "abc"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path)
    for variable, value in prepare_instance(made, Settings()).items():
        monkeypatch.setenv(variable, value)
    return made


def test_runs_killed_with_the_hub_are_no_failures_and_are_asked_for_at_once(home: Home) -> None:
    with opened_instance(home) as instance:
        for _ in range(4):
            run = instance.create_run_for_job(pooled, status=dg.DagsterRunStatus.STARTED, tags=TAGS)
            assert reap(home, instance, keep_queued=True) == [
                f"run {run.run_id[:8]}: its process is gone, marked failed"
            ]
        past = tries(instance, TAGS)
        assert not unfinished(instance, TAGS)
    assert (past.failed, past.interrupted) == (0, 4)
    assert may_try(past, datetime.now(UTC))


def test_a_pool_of_runs_gives_no_slot_that_would_have_to_be_freed(home: Home) -> None:
    with opened_instance(home) as instance:
        assert pooled.execute_in_process(instance=instance).success
        assert instance.event_log_storage.get_concurrency_keys() == set()
