"""Dagster's storage that fails in the middle of a run: told in a sentence, with what to do."""

from pathlib import Path

import dagster as dg
import psycopg
import pytest

from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.execute import execute
from hdh_assets.definitions.instance import prepare_instance
from hdh_assets.definitions.storage import opened_instance


@pytest.mark.postgres
def test_a_storage_that_is_away_during_a_run_is_told_with_what_to_do(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, (server, _, name) = Home(tmp_path), postgres_url.rpartition("/")
    for variable, value in prepare_instance(home, Settings(dagster_postgres=postgres_url)).items():
        monkeypatch.setenv(variable, value)

    def let_in(allowed: bool) -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {str(allowed).lower()}")

    @dg.op
    def work(context: dg.OpExecutionContext) -> None:
        let_in(False)
        try:
            context.log_event(dg.AssetObservation("something"))
        finally:
            let_in(True)

    @dg.job
    def working() -> None:
        work()

    repository = dg.Definitions(jobs=[working]).get_repository_def()
    with opened_instance(home) as instance:
        done = execute(home, repository, "hub", instance, dg.RunRequest(job_name="working"))
    assert not done["success"]
    assert "Dagster's storage failed while it ran" in done["problem"]
    assert "start the PostgreSQL of dagster_postgres" in done["problem"]
