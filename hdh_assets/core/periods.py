"""Periods of deliveries: how each cadence names them, counting them between two, and when each begins."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from hdh_assets.core.errors import HubError

Cadence = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]
PERIOD_FORMATS: dict[str, str] = {
    "daily": "%Y-%m-%d",
    "weekly": "%Y-%m-%d",
    "monthly": "%Y-%m",
    "quarterly": "%Y-%m",
    "yearly": "%Y",
}
"""A quarter is named after its first month, a week after its Monday."""

EXAMPLES: dict[str, str] = {
    "daily": "2024-01-31",
    "weekly": "2024-01-29",
    "monthly": "2024-01",
    "quarterly": "2024-01",
    "yearly": "2024",
}
"""How a period of each cadence is written."""
_WRITTEN = {"%Y-%m-%d": r"\d{4}-\d{2}-\d{2}", "%Y-%m": r"\d{4}-\d{2}", "%Y": r"\d{4}"}
_STEP_MONTHS: dict[str, int] = {"monthly": 1, "quarterly": 3, "yearly": 12}


def check_period(period: str, cadence: Cadence) -> str:
    """The period itself; `ValueError` when it is not one of this cadence."""
    form = PERIOD_FORMATS[cadence]
    if not re.fullmatch(_WRITTEN[form], period, flags=re.ASCII):
        raise ValueError(f"period {period!r} is not written like {EXAMPLES[cadence]} ({cadence})")
    try:
        first = datetime.strptime(period, form).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"period {period!r} is not in the calendar") from None
    if cadence == "quarterly" and first.month % 3 != 1:
        raise ValueError(f"period {period!r} is not the first month of a quarter")
    if cadence == "weekly" and first.weekday():
        raise ValueError(f"period {period!r} is not a Monday, after which a week is named")
    return period


def periods_between(cadence: Cadence, first: str, last: str) -> list[str]:
    """Every period of the cadence from the one holding the beginning of `first` to the one holding the end of `last`.

    Either may be a day, a month or a year. Raises `HubError`.
    """
    start, end = first_day(first), _last_day(last)
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
    first = start if cadence == "daily" else start - timedelta(days=start.weekday())
    for days in range(0, (end - first).days + 1, 1 if cadence == "daily" else 7):
        yield (first + timedelta(days=days)).isoformat()


def _last_day(period: str) -> date:
    """The last day of a day, a month or a year."""
    first = first_day(period)
    match period.count("-"):
        case 0:
            return first.replace(month=12, day=31)
        case 1:
            return first.replace(day=monthrange(first.year, first.month)[1])
        case _:
            return first


def first_day(period: str) -> date:
    """The day a period of any cadence begins. Raises `HubError` when it is no period."""
    for form, written in _WRITTEN.items():
        if re.fullmatch(written, period, flags=re.ASCII):
            with suppress(ValueError):
                return datetime.strptime(period, form).replace(tzinfo=UTC).date()
    raise HubError(f"{period!r} is not a period", remedy="write it as 2024, 2024-01 or 2024-01-31")
