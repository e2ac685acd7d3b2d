"""An extract put in its place by a run that was killed before it wrote that down, and folders that nobody delivered.

The way is that of the hub: what the sensor asks for, and the run of it.
"""

from __future__ import annotations

import shutil

import dagster as dg
import pytest
from test_decisions_sensor import answer
from test_extract_left_midway import _build_one, verified
from test_withdrawals import Hub, follow, oppose

from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions import hub as location
from hdh_assets.definitions.execute import execute
from hdh_assets.extracts.opposed import withdraw_opposed
from hdh_assets.extracts.rebuild import rebuild_extract
from resources.lake import open_lake
from resources.registry import DELIVERED
from resources.releases import make_release
from tests.children import die
from tests.extract_hub import dossier, grant

PERSONS = {"omop.person": "all"}


@pytest.fixture
def hub(home: Home, settings: Settings) -> Hub:
    return Hub(home, settings)


def what_is_due(home: Home) -> list[tuple[str, int]]:
    """Run what the sensor asks for, until it asks for nothing; the version and release of each materialisation."""
    repository = location.build_defs(home=home).get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            if not (requests := answer(home, instance, repository).run_requests):
                break
            for request in requests:
                done = execute(home, repository, "hub", instance, request)
                assert done["success"], done["problem"]
        else:
            pytest.fail("the sensor asks for ever")
        records = instance.fetch_materializations(dg.AssetKey(["extracts", "study", "person"]), limit=5).records
    told = [record.asset_materialization.metadata for record in records if record.asset_materialization]
    return [(str(each["version"].value), int(str(each["release"].value))) for each in told]


def delivered(hub: Hub) -> list[tuple[int, int]]:
    return [(event.data["version"], event.data["basis"]["release"]) for event in hub.registry.events(DELIVERED)]


def test_the_next_run_writes_it_down_and_shows_it(hub: Hub) -> None:
    """And makes no second version of a newer release that nobody asked for."""
    grant(hub.registry, dossier("study", tables=PERSONS))
    die("extract.placed", what_is_due, hub.home)
    assert not delivered(hub)
    (told,) = verified(hub, code=1)
    assert "`hdh tick` (or the running hub) writes the delivery down" in told["problem"]
    with open_lake(hub.home, hub.settings).writer() as engine:
        engine.execute("DELETE FROM lake.omop.person WHERE year_of_birth < 1950")
    assert make_release(open_lake(hub.home, hub.settings), checks={"passed": 1}).number == 2
    assert what_is_due(hub.home) == [("study/v1", 1)]
    assert delivered(hub) == [(1, 1)]
    assert verified(hub, code=0) == [{"extract": "study/v1", "problem": None}]
    assert rebuild_extract(hub.home, hub.settings, hub.datasets, "study") == []


def test_it_is_withdrawn_for_an_opposition_only_where_it_holds_the_person(hub: Hub) -> None:
    grant(hub.registry, dossier("one", tables={"omop.care_site": "all"}))
    die("extract.placed", _build_one, hub.home.root)
    oppose(hub, 7)
    follow(hub)
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == []
    assert delivered(hub) == [(1, 1)]


def test_a_folder_that_somebody_put_there_is_no_delivery_and_asks_for_one_only(hub: Hub) -> None:
    """The hub kept no papers of it, whether it is of another project, a copy, or was renamed."""
    whole, space = hub.deliver("other", tables=PERSONS).folder, hub.home.projects / "study"
    grant(hub.registry, dossier("study", tables=PERSONS))
    space.mkdir()
    shutil.copytree(whole, space / "v1")
    assert what_is_due(hub.home) == [("study/v2", 1)]
    shutil.copytree(space / "v2", space / "v7")
    assert what_is_due(hub.home) == []
    shutil.rmtree(space / "v2")
    assert what_is_due(hub.home) == [("study/v8", 1)]
    assert [number for number, _ in delivered(hub)] == [1, 2, 8]
