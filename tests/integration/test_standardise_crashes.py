"""Standardisation killed inside, before and after its transactions: the release stands, the next run gives the same."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
import snds_rows
from standard_hub import StandardHub, differences

from hdh_assets.core.home import Home, Settings
from hdh_assets.standard.runner import StandardiseError, standardise
from resources.releases import latest, make_release
from tests.children import exit_code, up_to

PERSONS, LINES = 60, 400
DBT_KILLED = 9
TELLING = [
    "standardise.int_hub__scope.inside",
    "standardise.drug_exposure.inside",
    "standardise.before_done",
]
EVERY = [
    *(
        f"standardise.{model}.{moment}"
        for model in ("int_hub__scope", "int_snds_dcir__event", "person", "visit_occurrence", "drug_exposure", "cost")
        for moment in ("before", "inside", "after")
    ),
    "standardise.prepared",
    "standardise.after_done",
]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def waiting(standardised: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A released hub in which a flux, a corrected flux and a new reference wait."""
    hub = StandardHub(tmp_path_factory.mktemp("waiting"), standardised)
    hub.deliver(snds_rows.set_beneficiaries, "2020-01", persons=PERSONS)
    hub.deliver(snds_rows.add_flux, 0, lines=LINES, persons=PERSONS)
    hub.standardise()
    make_release(hub.lake, checks={"passed": 1})
    hub.deliver(snds_rows.add_flux, 1, lines=LINES, persons=PERSONS)
    hub.deliver(snds_rows.add_flux, 0, lines=LINES, persons=PERSONS, version=2)
    hub.deliver(snds_rows.set_beneficiaries, "2020-02", persons=PERSONS, version=2)
    return hub.home.root


@pytest.fixture(scope="module")
def undisturbed(waiting: Path, tmp_path_factory: pytest.TempPathFactory) -> StandardHub:
    hub = StandardHub(tmp_path_factory.mktemp("undisturbed"), waiting)
    hub.standardise()
    return hub


def _standardise(root: Path) -> None:
    try:
        standardise(Home(root), Settings())
    except StandardiseError as error:
        sys.exit(DBT_KILLED if f"code {-signal.SIGKILL}" in str(error) else 1)


def kill(hub: StandardHub, point: str) -> None:
    """Standardise in a process that dies there, or whose dbt does."""
    ended = exit_code(up_to, point, _standardise, hub.home.root, seconds=600)
    assert ended in {-signal.SIGKILL, DBT_KILLED}, (point, ended)


def check_killed_then_completed(hub: StandardHub, points: list[str], undisturbed: StandardHub) -> None:
    """Kill at each point in turn, each a crash upon the crash before; then complete."""
    release = latest(hub.lake)
    assert release is not None
    held = "SELECT count(*), sum(hash(d)) FROM lake.omop.drug_exposure AS d"
    with hub.lake.reader(snapshot=release.snapshot_id) as engine:
        before = engine.execute(held).fetchall()
    for point in points:
        kill(hub, point)
        with hub.lake.reader(snapshot=release.snapshot_id) as engine:
            assert engine.execute(held).fetchall() == before, point
        assert latest(hub.lake) == release
    hub.standardise()
    assert not hub.standardise().is_changed
    assert differences(hub.omop(), undisturbed.omop()) == {}
    assert hub.rows("SELECT count(*) FROM lake.staging.int_hub__scope") == [(0,)]


def test_killed_again_and_again_then_completed_equals_an_undisturbed_hub(
    waiting: Path, undisturbed: StandardHub, tmp_path: Path
) -> None:
    check_killed_then_completed(StandardHub(tmp_path / "hub", waiting), TELLING, undisturbed)


@pytest.mark.parametrize("point", EVERY)
def test_killed_once_anywhere_then_completed_equals_an_undisturbed_hub(
    waiting: Path, undisturbed: StandardHub, tmp_path: Path, point: str
) -> None:
    check_killed_then_completed(StandardHub(tmp_path / "hub", waiting), [point], undisturbed)
