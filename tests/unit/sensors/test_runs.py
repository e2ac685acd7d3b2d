"""When failed work is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sensors.runs import LONGEST_PAUSE, POSTPONED, Tries, covers, may_try, postponed

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def test_the_first_two_tries_are_immediate() -> None:
    assert may_try(Tries(), NOW)
    assert may_try(Tries(5, 1, NOW), NOW)


@pytest.mark.parametrize(
    ("failed", "pause"), [(2, timedelta(minutes=2)), (4, timedelta(minutes=8)), (5000, LONGEST_PAUSE)]
)
def test_then_pauses_grow_up_to_six_hours(failed: int, pause: timedelta) -> None:
    past = Tries(failed, failed, NOW)
    assert not may_try(past, NOW + pause - timedelta(seconds=1))
    assert may_try(past, NOW + pause)


def test_work_whose_runs_never_began_waits_for_minutes_at_most() -> None:
    assert may_try(Tries(unstarted=1, last_unstarted_at=NOW), NOW)
    past = Tries(unstarted=5000, last_unstarted_at=NOW)
    assert not may_try(past, NOW + timedelta(minutes=9))
    assert may_try(past, NOW + timedelta(minutes=10))


def test_what_waits_says_until_when() -> None:
    past = Tries(failed=3, last_failed_at=NOW, unstarted=2, last_unstarted_at=NOW)
    assert postponed(past) == f"{POSTPONED} 5 times; look at its runs. It is tried again after 2024-01-01 00:04 UTC"


def test_a_range_covers_its_periods_of_its_dataset_only() -> None:
    asked = [("a", "2024-01", "2024-06")]
    assert covers(asked, "a", "2024-03")
    assert not covers(asked, "a", "2024-07")
    assert not covers(asked, "b", "2024-03")
