"""Which periods of care are complete: known once enough later deliveries have come. Pure.

A delivery brings events of many earlier periods, so what happened in a period is known little by little (rule 9 of the
SNDS: a care month is provisional until six later fluxes are loaded).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.periods import periods_between


@dataclass(frozen=True)
class Settled:
    """Periods of care a dataset tells about, in order. `later` is how many later deliveries complete one."""

    later: int
    complete: tuple[str, ...]
    provisional: tuple[str, ...]


def settled(dataset: Dataset, loaded: Iterable[str]) -> Settled | None:
    """What the loaded periods make complete; None for a dataset whose periods are final when they come.

    A period is complete when each of the next `complete_after` periods is loaded: a missing one would leave a hole.
    The period before the first loaded one counts too, since a flux brings the care of the month before.
    """
    present, later = set(loaded), dataset.complete_after
    if later is None:
        return None
    if not present:
        return Settled(later, (), ())
    span = periods_between(dataset.cadence, min(present), max(present))
    return Settled(
        later,
        complete=tuple(period for at, period in enumerate(span) if _are_loaded(span[at + 1 :][:later], later, present)),
        provisional=tuple(
            period for at, period in enumerate(span) if not _are_loaded(span[at + 1 :][:later], later, present)
        ),
    )


def _are_loaded(following: Sequence[str], later: int, present: set[str]) -> bool:
    return len(following) == later and present.issuperset(following)


def in_words(periods: Sequence[str]) -> str:
    """Periods as people read them: their number, first and last."""
    if len(periods) < 2:
        return "".join(periods) or "none"
    return f"{len(periods)}, {periods[0]} to {periods[-1]}"
