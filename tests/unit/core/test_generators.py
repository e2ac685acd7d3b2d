"""Generators of synthetic data by name: a wrong one is told with its line, and each that is named makes something."""

from __future__ import annotations

import pytest

from hdh_assets.core.generators import COLUMN_GENERATORS, GENERATORS, check_column_generator, check_generator
from hdh_assets.sources.synth import generate, generic_values


def test_every_generator_that_is_named_is_there() -> None:
    assert set(GENERATORS) == set(generate.GENERATORS)
    assert set(COLUMN_GENERATORS) == {*generic_values.NAMED, "period_year", "period_start"}


@pytest.mark.parametrize(
    ("name", "kind", "problem"),
    [
        ("horoscope", "string", "no generator of values is called 'horoscope': choose birth_date, "),
        ("between 1 and 5", "integer", "no generator of values is called 'between 1 and 5'"),
        ("between 1 5", "string", "makes no string: it is for columns of decimal, float, integer, year"),
        ("birth_date", "string", "makes no string: it is for columns of date, timestamp"),
        ("death_date", "date", "leave out `nullable: false`"),
    ],
)
def test_a_generator_that_could_make_no_value_is_refused(name: str, kind: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_column_generator(name, kind, is_nullable=False)


def test_a_generator_of_deliveries_that_is_not_there_is_refused() -> None:
    with pytest.raises(
        ValueError, match="no generator of deliveries is called 'genric': choose generic, snds, synthea"
    ):
        check_generator("genric")
