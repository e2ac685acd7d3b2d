"""Periods of deliveries in order: counting them between two, and when each begins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from hdh_assets.core.descriptor import Cadence, check_period
from hdh_assets.core.errors import HubError

_STEP_MONTHS: dict[str, int] = {"monthly": 1, "quarterly": 3, "yearly": 12}


def periods_between(cadence: Cadence, first: str, last: str) -> list[str]:
    """Every period of the cadence from the one holding `first` to the one holding `last`. Raises `HubError`."""
    start, end = first_day(first), first_day(last)
    if end < start:
        raise HubError(f"period {first!r} is after {last!r}", remedy="give the earlier period first")
    return [check_period(period, cadence) for period in _periods(cadence, start, end)]


def _periods(cadence: Cadence, start: date, end: date) -> Iterator[str]:
    if cadence in _STEP_MONTHS:
        step = _STEP_MONTHS[cadence]
        low, high = (12 * day.year + (day.month - 1) // step * step for day in (start, end))
        for month in range(low, high + 1, step):
            yield f"{month // 12:04}" if cadence == "yearly" else f"{month // 12:04}-{month % 12 + 1:02}"
        return
    day = start if cadence == "daily" else start - timedelta(days=start.weekday())
    while day <= end:
        yield day.isoformat()
        day += timedelta(days=1 if cadence == "daily" else 7)


def first_day(period: str) -> date:
    """The day a period of any cadence begins. Raises `HubError` when it is no period."""
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            return datetime.strptime(period, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise HubError(f"{period!r} is not a period", remedy="write it as 2024, 2024-01 or 2024-01-31")
