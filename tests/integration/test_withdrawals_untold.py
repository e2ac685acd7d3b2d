"""Extracts whose tables do not tell whose rows they have: withdrawn for whoever may be in them."""

from __future__ import annotations

from typing import Any

import pytest
from test_extract import Hub
from test_withdrawals import follow, oppose

from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.opposed import withdraw_opposed
from resources.lake import open_lake
from resources.opposed_numbers import OpposedNumbers
from resources.removals import retire

UNTOLD: list[dict[str, Any]] = [
    {"omop.cost": "all"},
    {"omop.person": ["gender_concept_id", "year_of_birth"]},
    {"omop.condition_occurrence": ["condition_concept_id"], "omop.person": ["year_of_birth"]},
    {"snds_dcir.er_prs_f": ["exe_soi_dtd", "prs_nat_ref"]},
    {"snds_dcir.er_pha_f": "all", "snds_dcir.er_prs_f": ["exe_soi_dtd"]},
]
"""Tables whose rows are about persons, without the columns that tell about whom."""


@pytest.fixture
def hub(home: Home, settings: Settings) -> Hub:
    return Hub(home, settings)


def test_a_table_that_cannot_tell_whose_rows_it_has_is_withdrawn(hub: Hub) -> None:
    """The careful choice: costs carry no person, and a permit may list other columns than those that tell."""
    never = {"from": "2030-01-01", "to": "2030-12-31"}
    for number, tables in enumerate(UNTOLD):
        hub.deliver(f"untold_{number}", tables=tables)
    hub.deliver("told", tables={"omop.cost": "all", "omop.person": ["person_id"]})
    lines: dict[str, Any] = {"snds_dcir.er_pha_f": "all", "snds_dcir.er_prs_f": ["ben_nir_psa"]}
    hub.deliver("none", tables=lines, period=never)
    hub.deliver("places", tables={"omop.care_site": "all", "omop.location": "all"})
    oppose(hub, 7)
    follow(hub)
    withdrawn = withdraw_opposed(hub.home, hub.settings, hub.datasets)
    assert withdrawn == [f"untold_{number}/v1" for number in range(len(UNTOLD))]


def test_a_table_that_cannot_tell_stays_where_its_dataset_cannot_know_the_person(hub: Hub) -> None:
    """A patient of the hospital is in no claim, and the CDM answers for its own rows."""
    lines = {"snds_dcir.er_pha_f": "all"}
    claims = hub.deliver("claims", tables=lines)
    both = hub.deliver("both", tables=lines | {"omop.person": ["person_id"]})
    careful = hub.deliver("careful", tables={"omop.cost": "all"})
    oppose(hub, 7, kind="ehr_patient")
    follow(hub)
    with open_lake(hub.home, hub.settings).writer() as engine:
        retire(engine, {1}, 1)
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == ["careful/v1"]
    assert [version.is_withdrawn for version in (claims, both, careful)] == [False, False, True]
    notice = (careful.folder / "WITHDRAWN.md").read_text("utf-8")
    assert "ou pouvaient y figurer" in notice
    assert "or may have been" in notice


def test_which_datasets_are_concerned_is_not_known_of_an_opposition_recorded_before(hub: Hub) -> None:
    hub.deliver("claims", tables={"snds_dcir.er_pha_f": "all"})
    with OpposedNumbers(hub.home, hub.settings) as numbers:
        numbers.put(0, [1], [])
    with open_lake(hub.home, hub.settings).writer() as engine:
        retire(engine, {1}, 1)
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == ["claims/v1"]
