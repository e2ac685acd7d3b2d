"""The release as an asset: which checks count, and when there is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg
import pytest
import snds_rows
from standard_hub import StandardHub

from hdh_assets.catalog.assets import count_checks, entry_assets, release_asset
from hdh_assets.catalog.entry import write_entry
from hdh_assets.catalog.measure import measure
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions import hub as hub_location
from hdh_assets.standard.assets import standard_assets
from resources.hub import Hub
from resources.releases import list_releases
from tests.athena_folder import Vocabulary

RELEASE = release_asset([], [])


@pytest.fixture
def hub(standardised: Path, tmp_path: Path) -> StandardHub:
    return StandardHub(tmp_path / "hub", standardised)


def released(hub: StandardHub) -> list[int]:
    """Materialise the release; the numbers there are."""
    assert dg.materialize([RELEASE], resources={"hub": Hub(folder=str(hub.home.root))}).success
    return [release.number for release in list_releases(hub.lake)]


def answer(home: Home, instance: dg.DagsterInstance) -> dg.SensorExecutionData:
    """What the sensor says."""
    repository = hub_location.build_defs(home=home, permits=[]).get_repository_def()
    with dg.build_sensor_context(
        instance=instance,
        repository_def=repository,
        sensor_name="standardisation",
        resources=repository.get_top_level_resources(),
    ) as context:
        return repository.get_sensor_def("standardisation").evaluate_tick(context)


def asked(home: Home) -> set[str]:
    """Domains of the assets that the sensor asks for."""
    with dg.DagsterInstance.ephemeral() as instance:
        (request,) = answer(home, instance).run_requests
    return {key.path[0] for key in request.asset_selection}


def test_a_backfill_of_what_is_up_to_date_gets_all_it_asked_for(hub: StandardHub) -> None:
    asked = [dg.AssetKey(["staging", "hub", "int_hub__concept_map"]), dg.AssetKey(["omop", "clinical", "person"])]
    done = dg.materialize(
        [standard_assets(load_datasets(hub.home))],
        selection=asked,
        tags={"dagster/backfill": "abcdefgh"},
        resources={"hub": Hub(folder=str(hub.home.root))},
    )
    assert {event.asset_key for event in done.get_asset_materialization_events()} == set(asked)


def test_what_omop_does_not_hold_yet_waits_for_the_next_release(hub: StandardHub) -> None:
    assert released(hub) == [1]
    hub.deliver(snds_rows.set_beneficiaries, "2020-01", persons=20)
    assert released(hub) == [1]
    assert asked(hub.home) == {"staging", "omop", "catalog"}
    hub.standardise()
    assert asked(hub.home) == {"catalog"}, "stopped before the release, the next run goes on with it"
    assert released(hub) == [1, 2]


@pytest.mark.slow
def test_a_vocabulary_that_omop_does_not_follow_yet_waits_for_the_next_release(
    hub: StandardHub, tmp_path: Path
) -> None:
    hub.deliver(snds_rows.set_beneficiaries, "2020-01", persons=20)
    hub.standardise()
    assert released(hub) == [1]
    vocabulary = Vocabulary()
    vocabulary.add(8507, "Gender", "M", "Gender", maps_to=8507)
    vocabulary.descend(8507, [8507])
    vocabulary.rows["DRUG_STRENGTH"].append((0,) * 9 + ("19700101", "20991231", ""))
    hub.settings = Settings(vocab_dir=str(vocabulary.write(tmp_path / "athena")))
    hub.home.settings_file.write_text(f'vocab_dir = "{hub.settings.vocab_dir}"\n', "utf-8")
    assert released(hub) == [1]
    assert asked(hub.home) == {"staging", "omop", "catalog"}
    hub.standardise()
    assert released(hub) == [1, 2]
    assert released(hub) == [1, 2], "although not a row more or less"


def test_tables_that_hold_all_that_feeds_them_are_not_computed_again(hub: StandardHub) -> None:
    hub.deliver(snds_rows.record_delivery, "a_dataset_without_models", "2023", UUID(int=1))
    assert asked(hub.home) == {"catalog"}
    assert released(hub) == [1]


def test_what_the_ui_does_not_show_of_the_catalogue_is_materialised_again(hub: StandardHub) -> None:
    datasets = load_datasets(hub.home)
    wanted = [RELEASE, *(entry_assets(datasets[name]) for name in ("snds_dcir", "snds_beneficiaries"))]
    resources = {"hub": Hub(folder=str(hub.home.root))}
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize(wanted, instance=instance, resources=resources).success
        assert answer(hub.home, instance).skip_message == "the newest release shows the lake as it is"
        gone = [dg.AssetKey(["catalog", "releases", "release"]), dg.AssetKey(["catalog", "datasets", "snds_dcir"])]
        instance.wipe_assets(gone)
        (request,) = answer(hub.home, instance).run_requests
        assert set(request.asset_selection) == set(gone)
        assert dg.materialize(wanted, instance=instance, resources=resources).success
        assert not answer(hub.home, instance).run_requests
        assert [release.number for release in list_releases(hub.lake)] == [1]

        with hub.lake.writer() as engine:  # as by a run that was killed before it could tell
            write_entry(
                engine, measure(engine, datasets["snds_dcir"]).model_copy(update={"measured_at": in_a_minute()})
            )
        (request,) = answer(hub.home, instance).run_requests
        assert request.asset_selection == gone[1:]


def in_a_minute() -> str:
    return (datetime.now(UTC) + timedelta(minutes=1)).isoformat()


def test_the_last_evaluation_of_a_check_counts_even_when_a_later_run_planned_it_alone() -> None:
    answers = iter([True, False, None])

    @dg.multi_asset(
        specs=[dg.AssetSpec("table", skippable=True)],
        check_specs=[dg.AssetCheckSpec("is_good", asset="table", blocking=True)],
    )
    def made():
        if (passed := next(answers)) is not None:
            yield dg.AssetCheckResult(passed=passed, check_name="is_good", asset_key="table")

    key = dg.AssetCheckKey(dg.AssetKey("table"), "is_good")
    with dg.DagsterInstance.ephemeral() as instance:
        counts = []
        for _ in range(3):
            dg.materialize([made], instance=instance, raise_on_error=False)
            found = count_checks(instance, [key])
            counts.append((found["passed"], found["failed"]))
    assert counts == [(1, 0), (0, 1), (0, 1)]
