"""What the sensors of the inbox ask for when much of it failed too often too lately."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hdh_assets.definitions.trusted_third_party import build_defs
from sensors import deliveries
from sensors.runs import EARLY, UNCORRECTED
from tests.failing_job import failing
from tests.integration.intake_world import PERSONS, VISITS, World, dataset


def asked(world: World, instance: dg.DagsterInstance, name: str) -> Any:
    """What the sensor answers now."""
    repository = build_defs(home=world.home, datasets=world.datasets).get_repository_def()
    with dg.build_sensor_context(
        instance=instance,
        repository_def=repository,
        sensor_name=name,
        resources=repository.get_top_level_resources(),
    ) as context:
        return repository.get_sensor_def(name).evaluate_tick(context)


def requests(world: World, instance: dg.DagsterInstance, name: str) -> list[dg.RunRequest]:
    """The runs it asks for."""
    return list(asked(world, instance, name).run_requests or ())


@pytest.mark.parametrize(
    ("sensor", "periods"),
    [
        ("deliveries", ["2023-01", "2023-03", "2023-05", "2023-07"]),
        ("misplaced_deliveries", ["1999-01", "1999-03", "1999-05", "1999-07"]),
    ],
)
def test_deliveries_that_wait_after_failures_keep_no_newer_one_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sensor: str, periods: list[str]
) -> None:
    """As after runs that the kernel killed, of which the ledger knows nothing."""
    monkeypatch.setattr(deliveries, "MAX_RUNS", 2)
    world = World.create(tmp_path)
    for minutes, period in enumerate(periods):
        world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}, period, minutes=minutes)
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            found = requests(world, instance, sensor)
            assert len(found) == 2, "no more than there is room for"
            for request in found:
                failing.execute_in_process(instance=instance, tags=dict(request.tags), raise_on_error=False)
        waiting = {request.tags["hdh/delivery"] for request in found}
        newer = requests(world, instance, sensor)
    assert len(newer) == 2
    assert not waiting & {request.tags["hdh/delivery"] for request in newer}


def test_nothing_is_asked_for_while_a_descriptor_is_wrong(tmp_path: Path) -> None:
    """Its run would load the definitions, and fail before it begins."""
    world = World.create(tmp_path)
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}, "2023-01")
    wrong = world.home.datasets / "wrong.yaml"
    wrong.parent.mkdir(exist_ok=True)
    with dg.DagsterInstance.ephemeral() as instance:
        wrong.write_text("id: [", "utf-8")
        told = asked(world, instance, "deliveries")
        assert not told.run_requests
        assert UNCORRECTED in str(told.skip_message)
        assert str(wrong) in str(told.skip_message)
        wrong.unlink()
        assert len(requests(world, instance, "deliveries")) == 1


def test_a_delivery_of_a_period_that_begins_within_the_day_waits_for_it(tmp_path: Path) -> None:
    """Clocks differ; taken in before its partition is there, no page would ever show it."""
    world = World.create(tmp_path, dataset(cadence="daily", first_period="2023-01-01"))
    tomorrow, after = ((datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d") for days in (1, 3))
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}, tomorrow)
    with dg.DagsterInstance.ephemeral() as instance:
        assert requests(world, instance, "deliveries") == []
        told = asked(world, instance, "misplaced_deliveries")
        assert (told.run_requests, told.skip_message) == ([], f"care {tomorrow} {EARLY}")
        world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}, after)
        assert len(requests(world, instance, "misplaced_deliveries")) == 1
