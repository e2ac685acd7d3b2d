"""Which periods of care are complete: known once enough later deliveries have come. Pure.

A delivery brings events of many earlier periods, so what happened in a period is known little by little (rule 9 of the
SNDS: a care month is provisional until six later fluxes are loaded).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.periods import first_day, periods_between


@dataclass(frozen=True)
class Settled:
    """Periods of care a dataset tells about, in order. `later` is how many later deliveries complete one."""

    later: int
    complete: tuple[str, ...]
    provisional: tuple[str, ...]


def settled(dataset: Dataset, loaded: Iterable[str]) -> Settled | None:
    """What the loaded periods make complete; None for a dataset whose periods are final when they come.

    A period is complete when each of the next `complete_after` periods is loaded: a missing one would leave a hole.
    The period before the first loaded one counts too: a flux brings the care of the month before.
    """
    present, later = set(loaded), dataset.complete_after
    if later is None:
        return None
    if not present:
        return Settled(later, (), ())
    before = first_day(min(present)) - timedelta(days=1)
    span = periods_between(dataset.cadence, before.isoformat(), max(present))
    complete = [
        period
        for at, period in enumerate(span[: max(len(span) - later, 0)])
        if present.issuperset(span[at + 1 : at + 1 + later])
    ]
    return Settled(later, tuple(complete), tuple(period for period in span if period not in complete))


def in_words(periods: Sequence[str]) -> str:
    """Periods as people read them: their number, first and last."""
    if len(periods) < 2:
        return "".join(periods) or "none"
    return f"{len(periods)}, {periods[0]} to {periods[-1]}"
