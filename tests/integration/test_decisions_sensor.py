"""What the sensor of decisions answers for a permit that waits for an extract: a run, or why there is none now."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

import dagster as dg
import pytest
import snds_rows

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions import hub
from hdh_assets.extracts.build import build_extract
from hdh_assets.extracts.due import ask
from hdh_assets.extracts.versions import empty
from hdh_assets.governance.decisions import amend, give_opinion, revoke
from hdh_assets.governance.decisions import grant as grant_permit
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import today
from resources.lake import Lake, open_lake
from resources.registry import Registry
from resources.releases import make_release
from sensors import decisions as decisions_module
from sensors.runs import POSTPONED
from tests.extract_hub import dossier, fill, grant
from tests.failing_job import failing


def answer(
    home: Home, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition | None = None
) -> dg.SensorExecutionData:
    """What the sensor says now, by these definitions or by those of this moment."""
    repository = repository or hub.build_defs(home=home).get_repository_def()
    with dg.build_sensor_context(
        instance=instance,
        repository_def=repository,
        sensor_name="decisions",
        resources=repository.get_top_level_resources(),
    ) as context:
        return repository.get_sensor_def("decisions").evaluate_tick(context)


def test_an_extract_is_asked_for_until_it_failed_twice_and_then_the_sensor_says_that_it_waits(
    home: Home, settings: Settings
) -> None:
    fill(home, settings, persons=20)
    with Registry(home, settings) as registry:
        grant(registry, dossier("study"))
    with dg.DagsterInstance.ephemeral() as instance:
        keys = set()
        for _ in range(2):
            (request,) = answer(home, instance).run_requests
            keys.add(request.run_key)
            failing.execute_in_process(instance=instance, tags=dict(request.tags), raise_on_error=False)
        told = answer(home, instance)
    assert len(keys) == 2
    assert not told.run_requests
    waits = f"study/permit-1: {POSTPONED} 2 times; look at its runs. It is tried again after 20"
    assert str(told.skip_message).startswith(waits)


def test_an_extract_waits_for_a_release_that_has_all_of_its_tables(home: Home, settings: Settings) -> None:
    """Each run would fail, and the project be told to amend a dossier that is right."""
    fill(home, settings, persons=20)
    lake, table = open_lake(home, settings), "omop.death"
    with Registry(home, settings) as registry:
        grant(registry, dossier("study"))
        grant(registry, dossier("towns", tables={"omop.person": "all", table: "all"}))
    with dg.DagsterInstance.ephemeral() as instance:
        assert [request.tags["hdh/project"] for request in answer(home, instance).run_requests] == ["study"]
        with Registry(home, settings) as registry:
            registry.act("t", revoke("study", reason="found wanting", today=today()))
        waits = f"towns/permit-1: it waits for a release with {table}, of which nothing was delivered yet"
        assert answer(home, instance).skip_message == waits
        with lake.writer() as engine:
            engine.execute(f"CREATE TABLE lake.{table} (person_id BIGINT)")
        make_release(lake, checks={"passed": 1})
        assert [request.tags["hdh/project"] for request in answer(home, instance).run_requests] == ["towns"]


def test_the_next_version_is_made_when_somebody_asks_and_there_is_something_newer(
    home: Home, settings: Settings
) -> None:
    release, lake = fill(home, settings, persons=20), open_lake(home, settings)
    with Registry(home, settings) as registry:
        permit = grant(registry, dossier("study"))
    build_extract(home, settings, load_datasets(), permit, release)
    with pytest.raises(RefusedError, match="study has what release 1 holds, the newest"):
        ask(home, settings, load_datasets(), "study")
    with lake.writer() as engine:
        engine.execute("DELETE FROM lake.omop.condition_occurrence WHERE condition_concept_id = 1001")
    newer = make_release(lake, checks={"passed": 1})

    with dg.DagsterInstance.ephemeral() as instance:
        assert not answer(home, instance).run_requests
        assert ask(home, settings, load_datasets(), "study").data == {"permit": 1, "release": 2}
        assert [request.tags["hdh/project"] for request in answer(home, instance).run_requests] == ["study"]
        second = build_extract(home, settings, load_datasets(), permit, newer).version
        assert (second.name, second.basis.release) == ("study/v2", 2)
        assert not answer(home, instance).run_requests
        empty(second, "taken back")
        assert answer(home, instance).run_requests, "the withdrawn version is replaced although an older one stands"


def test_the_next_version_is_made_by_itself_where_the_permit_follows_deliveries(home: Home, settings: Settings) -> None:
    release, lake = fill(home, settings, persons=20), open_lake(home, settings)
    with Registry(home, settings) as registry:
        permit = grant(registry, dossier("study", tables={"snds_dcir.er_pha_f": "all"}, updates="on_delivery"))
    build_extract(home, settings, load_datasets(), permit, release)
    with dg.DagsterInstance.ephemeral() as instance:
        assert not answer(home, instance).run_requests
        _load(lake, "commune_context", "2024")
        assert make_release(lake, checks={"passed": 1}).number == 2
        assert not answer(home, instance).run_requests, "nothing that feeds its table came in"
        _load(lake, "snds_dcir", "2019-02")
        newest = make_release(lake, checks={"passed": 1})
        (request,) = answer(home, instance).run_requests
        assert request.tags["hdh/project"] == "study"
        assert build_extract(home, settings, load_datasets(), permit, newest).version.name == "study/v2"
        assert not answer(home, instance).run_requests


def _load(lake: Lake, dataset: str, period: str) -> None:
    """Register a delivery, as intake does."""
    with lake.writer() as engine:
        snds_rows.record_delivery(engine, dataset, period, uuid4())


def test_definitions_are_loaded_again_for_a_permit_that_came_or_ended(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(decisions_module, "reload_location", lambda _home, location: asked.append(location) or True)
    fill(home, settings, persons=20)
    with Registry(home, settings) as registry, dg.DagsterInstance.ephemeral() as instance:
        before = hub.build_defs(home=home).get_repository_def()
        grant(registry, dossier("study"))
        assert answer(home, instance, before).skip_message == "definitions are loaded again for study/permit-1"
        with_study = hub.build_defs(home=home).get_repository_def()
        assert answer(home, instance, with_study).run_requests
        registry.act("tester", revoke("study", reason="found wanting", today=today()))
        told = answer(home, instance, with_study).skip_message
    assert told == "definitions are loaded again for study, without a permit"
    assert asked == ["hub", "hub"]


def test_an_amended_permit_is_not_asked_of_the_asset_of_the_earlier_one(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its columns and persons are those of the definitions that were loaded: it would be refused at each try."""
    asked: list[str] = []
    is_reloaded = True
    monkeypatch.setattr(
        decisions_module, "reload_location", lambda _home, location: asked.append(location) or is_reloaded
    )
    fill(home, settings, persons=20)
    with Registry(home, settings) as registry, dg.DagsterInstance.ephemeral() as instance:
        grant(registry, dossier("study"))
        before = hub.build_defs(home=home).get_repository_def()
        assert [request.tags["hdh/permit"] for request in answer(home, instance, before).run_requests] == ["1"]
        registry.act("t", amend(dossier("study", tables={"omop.person": "all"}), today()))
        registry.act("t", give_opinion("study", favourable=True, reason="", today=today()))
        registry.act("t", grant_permit("study", expires=None, conditions="", today=today()))
        told = answer(home, instance, before)
        assert not told.run_requests
        assert told.skip_message == "definitions are loaded again for study/permit-2"
        is_reloaded = False  # nobody answers
        assert not answer(home, instance, before).run_requests
        requests = answer(home, instance, hub.build_defs(home=home).get_repository_def()).run_requests
        assert [request.tags["hdh/permit"] for request in requests] == ["2"]
    assert asked == ["hub", "hub"]


def test_a_permit_that_becomes_no_asset_keeps_no_other_project_waiting(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Definitions are not loaded again for it at each look: it would be none the next time either."""
    asked: list[str] = []
    monkeypatch.setattr(decisions_module, "reload_location", lambda _home, location: asked.append(location) or True)
    whole = hub.extract_assets

    def failing_for_one(permit: Permit, datasets: Mapping[str, Dataset]) -> dg.AssetsDefinition:
        if permit.project == "broken":
            raise LookupError("no such table")
        return whole(permit, datasets)

    monkeypatch.setattr(hub, "extract_assets", failing_for_one)
    fill(home, settings, persons=20)
    with Registry(home, settings) as registry, dg.DagsterInstance.ephemeral() as instance:
        grant(registry, dossier("broken"))
        assert answer(home, instance).skip_message == (
            "broken/permit-1: it is disabled, see the log of the code location"
        )
        grant(registry, dossier("study"))
        (request,) = answer(home, instance).run_requests
    assert request.tags["hdh/project"] == "study"
    assert asked == []


def test_the_page_of_a_withdrawn_extract_says_that_it_is_and_why(home: Home, settings: Settings) -> None:
    release = fill(home, settings, persons=20)
    with Registry(home, settings) as registry:
        permit = grant(registry, dossier("study", tables={"omop.person": "all", "omop.cost": "all"}))
        version = build_extract(home, settings, load_datasets(), permit, release).version
        registry.act("t", revoke("study", reason="never published", today=today()))
    repository = hub.build_defs(home=home).get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        done = repository.get_job("withdrawals").execute_in_process(instance=instance)
        assert done.success
        for table in ("person", "cost"):
            key = dg.AssetKey(["extracts", "study", table])
            (record,) = instance.fetch_observations(key, limit=5).records
            told = record.asset_observation
            assert told.description == "study/v1 was withdrawn: its data are erased"
            assert "Reason: never published" in str(told.metadata["withdrawn"].value)
    assert version.is_withdrawn


def test_nobody_asks_without_a_permit(home: Home, settings: Settings) -> None:
    with pytest.raises(RefusedError, match="no project is called study"):
        ask(home, settings, load_datasets(), "study")
