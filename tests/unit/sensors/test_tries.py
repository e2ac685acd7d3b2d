"""How often something was tried, as Dagster's runs tell it."""

from __future__ import annotations

import dagster as dg

from sensors.runs import FAILURE_REASON, INTERRUPTED, tries
from tests.failing_job import failing

TAGS = {"hdh/work": "standardise", "hdh/due": "abc"}


def test_runs_that_ended_with_their_hub_are_no_failures() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [failing.execute_in_process(instance=instance, tags=TAGS, raise_on_error=False) for _ in range(5)]
        failing.execute_in_process(instance=instance, tags=TAGS | {"hdh/due": "other"}, raise_on_error=False)
        for run in runs[:3]:
            instance.add_run_tags(run.run_id, {INTERRUPTED: "the process was gone"})
        instance.add_run_tags(runs[3].run_id, {FAILURE_REASON: "UNEXPECTED_TERMINATION"})
        past = tries(instance, TAGS)
    assert (past.total, past.failed, past.interrupted) == (5, 1, 4)
    assert past.last_failed_at is not None
