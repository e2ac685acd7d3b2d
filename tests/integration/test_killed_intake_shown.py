"""What a run of intake had loaded when it was killed: the UI shows it after the next start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from intake_world import PERSONS, VISITS, World

from hdh_assets.definitions import trusted_third_party
from hdh_assets.definitions.execute import execute
from hdh_assets.definitions.instance import prepare_instance
from hdh_assets.definitions.locations import TRUSTED_THIRD_PARTY
from hdh_assets.definitions.storage import opened_instance
from sensors.reaper import clean_up
from sensors.runs import RANGE_END, RANGE_START
from tests.children import die

MONTHS = ("2024-01", "2024-02")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World.create(tmp_path)
    for variable, value in prepare_instance(world.home, world.settings).items():
        monkeypatch.setenv(variable, value)
    return world


@pytest.fixture
def instance(world: World) -> Iterator[dg.DagsterInstance]:
    with opened_instance(world.home) as opened:
        yield opened


def take_in_both(world: World) -> None:
    """The run that the sensor asks for of two neighbouring periods."""
    repository = trusted_third_party.build_defs(home=world.home, datasets=world.datasets).get_repository_def()
    span = {RANGE_START: MONTHS[0], RANGE_END: MONTHS[1]}
    request = dg.RunRequest(job_name="care", tags={"hdh/work": "intake", "hdh/dataset": "care"} | span)
    with opened_instance(world.home) as instance:
        execute(world.home, repository, TRUSTED_THIRD_PARTY, instance, request)


@pytest.mark.parametrize("point", ["intake.after_commit", "intake.finished"])
def test_what_a_killed_run_had_loaded_is_shown(world: World, instance: dg.DagsterInstance, point: str) -> None:
    for period in MONTHS:
        world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS.replace("12,50", "5000")}, period)
    die(point, take_in_both, world)
    clean_up(world.home, world.settings, world.datasets, instance, keep_queued=False)
    for table in ("persons", "visits"):
        key = dg.AssetKey(["sources", "care", table])
        assert instance.get_materialized_partitions(key) == {MONTHS[0]}
    (told,) = instance.fetch_materializations(key, limit=5).records
    assert told.asset_materialization
    assert told.asset_materialization.metadata["dagster/partition_row_count"].value == 2
    assert "no receipt" not in str(told.asset_materialization.metadata["receipt"].value)
    assert _failed_checks(instance) == {"range"}
    clean_up(world.home, world.settings, world.datasets, instance, keep_queued=False)
    assert len(instance.fetch_materializations(key, limit=5).records) == 1


def _failed_checks(instance: dg.DagsterInstance) -> set[str]:
    keys = [dg.AssetCheckKey(dg.AssetKey(["sources", "care", "visits"]), rule) for rule in ("range", "type")]
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    events = [found[key].event for key in keys]
    told = [event.dagster_event.asset_check_evaluation_data for event in events if event and event.dagster_event]
    return {check.check_name for check in told if not check.passed}
