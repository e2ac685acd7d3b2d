"""Which deliveries to take in now: a pure function of the ledger and the inbox."""

from __future__ import annotations

from datetime import datetime

from resources.inbox import Dropped
from resources.ledger import LedgerView


def decide(ledger: LedgerView, inbox: list[Dropped], limit: int | None = None) -> list[Dropped]:
    """The deliveries due, oldest first, all or at most `limit`.

    One that is being taken in is not due. One that failed through no fault of its own stays due, after those that
    failed less often, so that it never keeps the others waiting. One already received is due: its answer is a receipt.
    """
    due = [dropped for dropped in inbox if dropped.digest not in ledger.running]

    def rank(dropped: Dropped) -> tuple[int, datetime, str, str, str]:
        failures = ledger.failures.get(dropped.digest, 0)
        return (failures, dropped.sealed_at, dropped.dataset, dropped.period, dropped.digest)

    return sorted(due, key=rank)[:limit]
