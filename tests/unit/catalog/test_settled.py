"""Which care months are complete."""

from __future__ import annotations

import pytest

from hdh_assets.catalog.settled import in_words, settled
from hdh_assets.core.descriptor_files import load_datasets

DATASETS = load_datasets()
DCIR = DATASETS["snds_dcir"]


def fluxes(*months: int) -> list[str]:
    return [f"2024-{month:02d}" for month in months]


def test_rule_09_a_care_month_is_provisional_until_six_later_fluxes_are_loaded() -> None:
    five, six = settled(DCIR, fluxes(*range(2, 7))), settled(DCIR, fluxes(*range(2, 8)))
    assert five is not None
    assert five.complete == ()
    assert five.provisional == tuple(fluxes(*range(1, 7)))
    assert six is not None
    assert six.complete == ("2024-01",)
    assert six.provisional == tuple(fluxes(*range(2, 8)))


@pytest.mark.parametrize("last", range(1, 6))
def test_fewer_than_six_fluxes_complete_nothing(last: int) -> None:
    found = settled(DCIR, fluxes(*range(1, last + 1)))
    assert found is not None
    assert found.complete == ()
    assert found.provisional == ("2023-12", *fluxes(*range(1, last + 1)))


def test_a_missing_flux_keeps_the_months_it_would_complete_provisional() -> None:
    found = settled(DCIR, fluxes(1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12))
    assert found is not None
    assert found.complete == ("2023-12",)


def test_nothing_loaded_and_final_datasets() -> None:
    empty = settled(DCIR, [])
    assert empty is not None
    assert (empty.complete, empty.provisional) == ((), ())
    assert settled(DATASETS["snds_beneficiaries"], ["2024-01"]) is None


def test_in_words() -> None:
    assert in_words(()) == "none"
    assert in_words(("2024-01",)) == "2024-01"
    assert in_words(("2024-01", "2024-02")) == "2, 2024-01 to 2024-02"
