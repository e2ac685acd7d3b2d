"""The definitions of both code locations, loaded once on a home that has nothing: no lake, no key, no vault."""

from __future__ import annotations

import dagster as dg
import pytest
from definitions_graph import own_specs

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home
from hdh_assets.definitions import hub, trusted_third_party
from hdh_assets.governance.permit import Permit

PERMIT = Permit.model_validate(
    {
        "project": "sample_project",
        "number": 1,
        "dossier_version": 1,
        "title": "A sample project of the tests",
        "tables": {"omop.person": "all", "omop.drug_exposure": ["person_id"], "snds_dcir.er_pha_f": "all"},
        "population": {},
        "period": {"from": "2024-01-01", "to": "2024-12-31"},
        "precision": {},
        "granted_on": "2024-01-01",
        "expires": "2099-12-31",
    }
)


@pytest.fixture(scope="session")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home nobody made."""
    return Home(tmp_path_factory.mktemp("nothing") / "hub")


@pytest.fixture(scope="session")
def datasets() -> dict[str, Dataset]:
    return load_datasets()


@pytest.fixture(scope="session")
def locations(nothing: Home, datasets: dict[str, Dataset]) -> dict[str, dg.Definitions]:
    """Both code locations, the hub with one permit."""
    return {
        "trusted_third_party": trusted_third_party.build_defs(home=nothing, datasets=datasets),
        "hub": hub.build_defs(home=nothing, datasets=datasets, permits=[PERMIT]),
    }


@pytest.fixture(scope="session")
def specs(locations: dict[str, dg.Definitions]) -> list[dg.AssetSpec]:
    """Every asset that a location executes; stubs of the other location's assets left out."""
    return [spec for found in locations.values() for spec in own_specs(found)]
