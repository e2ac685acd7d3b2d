"""Runs that `hdh` makes in its own process, as the UI finds them."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from hdh_assets.core.home import Home
from hdh_assets.definitions.execute import execute


def test_a_run_is_listed_with_its_job_as_those_of_the_daemon_are(tmp_path: Path) -> None:
    @dg.op
    def work() -> None: ...

    @dg.job
    def working() -> None:
        work()

    repository = dg.Definitions(jobs=[working]).get_repository_def()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        request = dg.RunRequest(job_name="working", tags={"hdh/work": "test"})
        done = execute(Home(tmp_path), repository, "hub", instance, request)
        asked_by_the_page = dg.RunsFilter(job_name="working", tags={".dagster/repository": "__repository__@hub"})
        (run,) = instance.get_runs(asked_by_the_page)
    assert run.run_id == done["run"]
    assert (run.tags["dagster/code_location"], run.tags["hdh/work"]) == ("hub", "test")
