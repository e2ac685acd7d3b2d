"""Which deliveries are due, without a clock, a disk or a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.sources.intake.decide import decide
from resources.inbox import Dropped
from resources.ledger import LedgerView


def dropped(number: int) -> Dropped:
    sealed = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    return Dropped(Path(f"/{number}"), "p", "d", f"{number}", f"{number:064d}", sealed)


def test_oldest_first_and_no_more_than_the_limit() -> None:
    inbox = [dropped(number) for number in (3, 1, 2)]
    assert [d.period for d in decide(LedgerView(), inbox, limit=2)] == ["1", "2"]


def test_what_is_running_waits_and_what_failed_comes_last() -> None:
    inbox = [dropped(number) for number in range(4)]
    ledger = LedgerView(frozenset({inbox[1].digest}), {inbox[0].digest: 2, inbox[2].digest: 1})
    assert [d.period for d in decide(ledger, inbox)] == ["3", "2", "0"]


@given(st.lists(st.integers(0, 200), unique=True), st.integers(1, 60))
def test_a_backlog_drains_whatever_the_order(numbers: list[int], limit: int) -> None:
    inbox, taken = [dropped(number) for number in numbers], []
    while due := decide(LedgerView(), inbox, limit):
        assert len(due) <= limit
        taken += due
        inbox = [d for d in inbox if d not in due]
    assert sorted(int(d.period) for d in taken) == sorted(numbers)
