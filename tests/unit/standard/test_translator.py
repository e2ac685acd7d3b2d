"""What the asset graph says of a dbt model."""

from __future__ import annotations

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.standard.assets import standard_assets


def test_a_cdm_table_says_which_checks_look_at_it_and_where_they_are() -> None:
    standard = standard_assets(load_datasets())
    shown = {spec.name: spec.asset_key.path[-1] for spec in standard.check_specs}
    omop = [spec for spec in standard.specs if spec.key.path[0] == "omop"]
    words = {spec.key.path[-1]: spec.description or "" for spec in omop}
    assert "every_key_is_unique (on the page of person)" in words["cost"]
    assert "every_key_is_unique, every_person_is_known, nothing_happens_before_birth (on this page)" in words["person"]
    assert {name for name in shown if any(name in said for said in words.values())} == set(shown)
