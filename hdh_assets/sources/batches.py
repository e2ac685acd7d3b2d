"""Which pending deliveries share a run. Pure.

A run per delivery, until more wait than one tick may ask for: then neighbouring periods of one dataset share a run,
so that a backlog of thousands drains and a tick stays short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.digests import short
from hdh_assets.core.periods import check_period, first_day, periods_between
from hdh_assets.sources.intake.admission import is_deliverable
from resources.inbox import Dropped

MAX_RUNS = 50
MAX_IN_ONE_RUN = 400


@dataclass(frozen=True)
class Batch:
    """Deliveries of one dataset for consecutive periods, in period order."""

    dataset: str
    deliveries: tuple[Dropped, ...]

    @property
    def first(self) -> str:
        """The earliest period."""
        return self.deliveries[0].period

    @property
    def last(self) -> str:
        """The latest period."""
        return self.deliveries[-1].period

    @property
    def token(self) -> str:
        """Names the batch in run tags: the start of the delivery's digest, or of the digest of all digests."""
        if len(self.deliveries) == 1:
            return short(self.deliveries[0].digest)
        return short(sha256(" ".join(d.digest for d in self.deliveries).encode()).hexdigest())


def batches(pending: Iterable[Dropped], datasets: Mapping[str, Dataset], *, max_runs: int = MAX_RUNS) -> list[Batch]:
    """At most `max_runs` batches of deliveries, those with the oldest delivery first.

    `pending` must be placeable (see `is_placeable`), oldest first.
    """
    waiting = list(pending)
    if max_runs < 1:
        return []
    size = min(-(-len(waiting) // max_runs), MAX_IN_ONE_RUN)
    rank = {id(dropped): position for position, dropped in enumerate(waiting)}
    made: list[Batch] = []
    for dataset_id in dict.fromkeys(dropped.dataset for dropped in waiting):
        mine = sorted((d for d in waiting if d.dataset == dataset_id), key=lambda d: d.period)
        made += _chained(datasets[dataset_id], mine, max(size, 1))
    return sorted(made, key=lambda batch: min(rank[id(d)] for d in batch.deliveries))[:max_runs]


def is_placeable(dropped: Dropped, datasets: Mapping[str, Dataset], has_period: Callable[[str, str], bool]) -> bool:
    """Whether the delivery belongs to a partition of a known dataset: else it can only be answered with a refusal."""
    dataset = datasets.get(dropped.dataset)
    if dataset is None or dropped.producer != dataset.producer.id:
        return False
    try:
        check_period(dropped.period, dataset.cadence)
    except ValueError:
        return False
    return has_period(dropped.dataset, dropped.period)


def is_early(dropped: Dropped, datasets: Mapping[str, Dataset], now: datetime) -> bool:
    """Whether its period begins within the day by which clocks may differ: it will have its partition, and waits."""
    dataset = datasets.get(dropped.dataset)
    return (
        dataset is not None
        and dropped.producer == dataset.producer.id
        and is_deliverable(dataset, dropped.period, now)
        and first_day(dropped.period) > now.date()
    )


def _chained(dataset: Dataset, ordered: list[Dropped], size: int) -> list[Batch]:
    """Cut deliveries in period order where a period is missing or the batch is full."""
    chains: list[list[Dropped]] = []
    for dropped in ordered:
        follows = chains and len(chains[-1]) < size and _is_next(dataset, chains[-1][-1].period, dropped.period)
        if follows:
            chains[-1].append(dropped)
        else:
            chains.append([dropped])
    return [Batch(dataset.id, tuple(chain)) for chain in chains]


def _is_next(dataset: Dataset, period: str, candidate: str) -> bool:
    return periods_between(dataset.cadence, period, candidate) == [period, candidate]
