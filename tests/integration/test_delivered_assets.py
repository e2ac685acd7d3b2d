"""Runs of intake that a person started: what they answer when there is nothing to take in, or not what they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hdh_assets.sources.assets import answer_job, delivered_assets
from resources.hub import Hub
from sensors.runs import PARTITION, RANGE_END, RANGE_START
from tests.integration.intake_world import PERSONS, VISITS, World, dataset

ASSETS = delivered_assets(dataset())
FROM_THE_INBOX = {"hdh/work": "intake"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.create(tmp_path)


def run(world: World, tags: Mapping[str, str], assets: dg.AssetsDefinition = ASSETS) -> dg.ExecuteInProcessResult:
    """The dataset's asset, materialised by a run with these tags."""
    resources = {"hub": Hub(folder=str(world.home.root))}
    job = dg.Definitions([assets], resources=resources).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(tags=dict(tags), raise_on_error=False)


def said(result: dg.ExecuteInProcessResult) -> str | None:
    """What the failed step told."""
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    told = failed.step_failure_data.user_failure_data
    return told and told.description


def materialised(result: dg.ExecuteInProcessResult) -> set[tuple[str, str]]:
    events = (event for event in result.all_events if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION)
    return {(event.asset_key.path[-1], event.partition) for event in events}


def test_a_range_of_periods_passes_over_those_never_delivered(world: World) -> None:
    world.deliver(period="2024-02")
    result = run(world, {RANGE_START: "2024-01", RANGE_END: "2024-03"})
    assert result.success
    assert materialised(result) == {("persons", "2024-02"), ("visits", "2024-02")}
    shown = result.asset_materializations_for_node("take_in_care")
    (receipt,) = {str(event.metadata["receipt file"].value) for event in shown}
    assert receipt.startswith("outbox/clinic/care/2024-02/")
    assert (world.home.root / receipt).is_file()


def test_periods_of_which_nothing_was_ever_delivered_say_so(world: World) -> None:
    world.deliver(period="2024-02")
    result = run(world, {RANGE_START: "2023-01", RANGE_END: "2023-03"})
    assert said(result) == "there is nothing of care to take in for 2023-01 to 2023-03"


def test_a_period_whose_original_is_refused_now_stays_as_it_was_and_fails_the_run(world: World) -> None:
    world.deliver(period="2024-01")
    world.deliver(VISITS.replace("12,50", "much"), period="2024-02")
    before, receipts = world.visits(), {path: path.read_bytes() for path in world.home.outbox.rglob("receipt.*")}
    strict = delivered_assets(dataset(thresholds={"max_reject_ratio": 0}))
    result = run(world, {RANGE_START: "2024-01", RANGE_END: "2024-02"}, strict)
    assert said(result) == "the original of care 2024-02 is refused now (too_many_rejects, type)"
    assert materialised(result) == {("persons", "2024-01"), ("visits", "2024-01")}
    assert world.visits() == before
    assert {p: p.read_bytes() for p in receipts if p.parts[-3] == "2024-02"}.items() <= receipts.items()
    alone = run(world, {PARTITION: "2024-02"}, strict)
    assert said(alone) == said(result)


def test_a_delivery_that_another_run_took_in_first_is_no_failure_and_shown_by_that_one(world: World) -> None:
    world.deliver()
    result = run(world, FROM_THE_INBOX | {PARTITION: "2024-01"})
    assert result.success
    assert materialised(result) == set()
    assert checks(result)["persons", "delivery_accepted"] == (True, {})
    assert world.rows("SELECT run_id FROM lake.meta.delivery") == [("run",)]


def test_without_a_period_the_run_says_what_to_choose(world: World) -> None:
    assert said(run(world, {})) == "no period was chosen"
    backwards = said(run(world, {RANGE_START: "2024-03", RANGE_END: "2024-01"}))
    assert backwards == "the range of periods is empty: it ends before it starts"


@pytest.mark.parametrize(
    "place", ["{root}/clinic/care/2024-01", "{inbox}/../clinic/care/2024-01", "{inbox}/clinic/care"]
)
def test_a_folder_that_is_no_place_for_a_delivery_is_left_alone(world: World, place: str) -> None:
    inbox, root = world.home.inbox, world.home.root
    folder = Path(place.format(inbox=inbox, root=root))
    inbox.mkdir(exist_ok=True)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}", "utf-8")
    result = answer_job().execute_in_process(
        run_config={"ops": {"answer_delivery": {"config": {"folder": str(folder)}}}},
        resources={"hub": Hub(folder=str(root))},
        raise_on_error=False,
    )
    assert said(result) == "this is no folder of a delivery"
    assert (folder / "manifest.json").exists()


def checks(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], tuple[bool, dict[str, Any]]]:
    """Of each check, by table and rule: whether it passed, and what it told."""
    return {
        (found.asset_key.path[-1], found.check_name): (
            found.passed,
            {name: value.value for name, value in found.metadata.items()},
        )
        for found in result.get_asset_check_evaluations()
    }


def drop(world: World, period: str, visits: str = VISITS, minutes: int = 0, **edits: Any) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": visits}, period, minutes=minutes, **edits)


def test_a_refused_period_stays_told_until_it_is_corrected(world: World) -> None:
    accepted = ("persons", "delivery_accepted")
    drop(world, "2023-02", VISITS.replace("NUM;", "NO;"))
    assert checks(run(world, {PARTITION: "2023-02"}))[accepted] == (
        False,
        {"2023-02": "missing_column, unknown_column"},
    )
    drop(world, "2024-01")
    assert checks(run(world, {PARTITION: "2024-01"}))[accepted] == (
        False,
        {"2023-02": "missing_column, unknown_column"},
    )
    drop(world, "2023-02", minutes=1)
    assert checks(run(world, {PARTITION: "2023-02"}))[accepted] == (True, {})


def test_rejected_rows_of_a_period_stay_told_when_another_comes_in(world: World) -> None:
    drop(world, "2024-01", VISITS.replace("12,50", "5000"))
    run(world, {PARTITION: "2024-01"})
    drop(world, "2024-02")
    found = checks(run(world, {PARTITION: "2024-02"}))
    told = {"rows concerned": 1, "by period": {"2024-01": 1}, "by column": {"COST": 1}}
    assert found["visits", "range"] == (False, told)
    assert found["visits", "type"] == (True, {"rows concerned": 0})
    drop(world, "2024-01", minutes=1)
    assert checks(run(world, {PARTITION: "2024-01"}))["visits", "range"] == (True, {"rows concerned": 0})


def test_what_a_producer_wrote_into_its_receipts_is_not_told(world: World) -> None:
    drop(world, "2023-02", VISITS.replace("NUM;", "NO;"))
    run(world, {PARTITION: "2023-02"})
    (receipt,) = world.home.outbox.rglob("receipt.json")
    receipt.write_text(receipt.read_text("utf-8").replace('"missing_column"', '"Durand"'), "utf-8")
    drop(world, "2024-01")
    _, told = checks(run(world, {PARTITION: "2024-01"}))["persons", "delivery_accepted"]
    assert told == {"2023-02": "unknown_column"}
