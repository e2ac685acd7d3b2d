"""How periods are written, and which lie between two."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from hdh_assets.core.errors import HubError
from hdh_assets.core.periods import EXAMPLES, Cadence, check_period, first_day, periods_between


@pytest.mark.parametrize("cadence", get_args(Cadence))
def test_the_example_of_a_cadence_is_one_of_its_periods(cadence: Cadence) -> None:
    assert check_period(EXAMPLES[cadence], cadence) == EXAMPLES[cadence]


def test_a_period_is_told_how_it_is_written() -> None:
    with pytest.raises(ValueError, match="not written like 2024-01"):
        check_period("2024-1", "monthly")


@pytest.mark.parametrize(("period", "day"), [("2024", (2024, 1, 1)), ("2024-03", (2024, 3, 1)), ("2024-03-09",) * 2])
def test_a_period_begins_on_its_first_day(period: str, day: tuple[int, int, int] | str) -> None:
    assert first_day(period) == (date.fromisoformat(day) if isinstance(day, str) else date(*day))


@pytest.mark.parametrize("period", ["2024-1", "24-01", "2024-13", "2024-02-30", "2024-01-1", "٢٠٢٤-01", ""])
def test_what_is_written_otherwise_is_no_period(period: str) -> None:
    with pytest.raises(HubError, match="is not a period"):
        first_day(period)


def test_a_year_holds_its_months() -> None:
    assert periods_between("monthly", "2023-11", "2024")[::13] == ["2023-11", "2024-12"]
