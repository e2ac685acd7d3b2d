"""What sensors need to know of Dagster's own runs: which are not over, and how often something was tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.MANAGED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
PARTITION = "dagster/partition"


def unfinished(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> list[dg.DagsterRun]:
    """Runs with these tags that are queued, starting or running."""
    return list(instance.get_runs(filters=dg.RunsFilter(tags=dict(tags), statuses=UNFINISHED)))


def times_tried(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> int:
    """How many runs with these tags there ever were."""
    return instance.get_runs_count(dg.RunsFilter(tags=dict(tags)))


def periods_asked(runs: list[dg.DagsterRun]) -> Iterator[tuple[str, str, str]]:
    """Dataset, first and last period of each intake run."""
    for run in runs:
        dataset, single = run.tags.get("hdh/dataset"), run.tags.get(PARTITION)
        first, last = run.tags.get(RANGE_START, single), run.tags.get(RANGE_END, single)
        if dataset and first and last:
            yield dataset, first, last


def covers(asked: list[tuple[str, str, str]], dataset: str, period: str) -> bool:
    """Whether one of these ranges holds that period; periods of one cadence sort as text."""
    return any(name == dataset and first <= period <= last for name, first, last in asked)
