"""How often something was tried, as Dagster's runs tell it."""

from __future__ import annotations

import dagster as dg

from sensors.runs import FAILURE_REASON, INTERRUPTED, ask, tries
from tests.failing_job import failing, succeeding

TAGS = {"hdh/work": "standardise", "hdh/due": "abc"}


def test_runs_that_ended_with_their_hub_are_no_failures() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [failing.execute_in_process(instance=instance, tags=TAGS, raise_on_error=False) for _ in range(5)]
        failing.execute_in_process(instance=instance, tags=TAGS | {"hdh/due": "other"}, raise_on_error=False)
        for run in runs[:3]:
            instance.add_run_tags(run.run_id, {INTERRUPTED: "the process was gone"})
        instance.add_run_tags(runs[3].run_id, {FAILURE_REASON: "UNEXPECTED_TERMINATION"})
        past = tries(instance, TAGS)
    assert (past.last, past.failed, past.interrupted) == (runs[-1].run_id, 1, 4)
    assert past.last_failed_at is not None


def test_runs_that_never_began_are_no_failures_of_their_work() -> None:
    """As those that the queue dropped, or whose definitions could not be loaded."""
    with dg.DagsterInstance.ephemeral() as instance:
        failing.execute_in_process(instance=instance, tags=TAGS, raise_on_error=False)
        for _ in range(3):
            instance.report_run_failed(instance.create_run_for_job(failing, tags=TAGS))
        past = tries(instance, TAGS)
    assert (past.failed, past.interrupted, past.unstarted) == (1, 0, 3)
    assert past.last_unstarted_at is not None


def test_work_is_asked_for_under_a_new_key_whatever_runs_people_delete() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        asked = set()
        for _ in range(3):
            request = ask(instance, TAGS, "work")
            assert isinstance(request, dg.RunRequest)
            assert request.run_key not in asked
            asked.add(request.run_key)
            run = succeeding.execute_in_process(instance=instance, tags=TAGS | {"dagster/run_key": request.run_key})
            if len(asked) == 2:
                instance.delete_run(next(r.run_id for r in instance.get_runs() if r.run_id != run.run_id))
