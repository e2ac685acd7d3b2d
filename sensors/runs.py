"""What sensors need to know of Dagster's own runs: which are not over, and how often something was tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.MANAGED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
FAILED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
LONGEST_PAUSE = timedelta(hours=6)
LONGEST_PAUSE_UNSTARTED = timedelta(minutes=10)
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
PARTITION = "dagster/partition"
FAILURE_REASON = "dagster/failure_reason"
INTERRUPTED = "hdh/interrupted"
"""Tag of a run whose process was gone when the hub started again."""
POSTPONED = "the same work failed"
"""How a sensor begins to say that it waits before it tries something again."""
EARLY = "waits until its period begins"
UNCORRECTED = "nothing is run until it is corrected"
WAITS = (POSTPONED, EARLY, UNCORRECTED)
"""What a sensor says of work that is there and not due yet."""


def unfinished(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> list[dg.DagsterRun]:
    """Runs with these tags that are queued, starting or running."""
    return list(instance.get_runs(filters=dg.RunsFilter(tags=dict(tags), statuses=UNFINISHED)))


@dataclass(frozen=True)
class Tries:
    """How often the same work was tried, and how it went."""

    last: str = ""
    """Id of the newest run, empty when there is none. It tells one attempt from the next, whatever people delete."""
    failed: int = 0
    """By the work's own fault, as far as one can tell."""
    last_failed_at: datetime | None = None
    interrupted: int = 0
    """By the end of the hub they ran in."""
    unstarted: int = 0
    """Before the work began: the queue dropped the run, or its definitions could not be loaded."""
    last_unstarted_at: datetime | None = None


def tries(instance: dg.DagsterInstance, tags: Mapping[str, str]) -> Tries:
    """What became of the runs with these tags."""
    newest = instance.get_run_records(dg.RunsFilter(tags=dict(tags)), limit=1)
    if not newest:
        return Tries()
    failed = instance.get_run_records(dg.RunsFilter(tags=dict(tags), statuses=FAILED))
    ended = [record for record in failed if not _was_interrupted(record.dagster_run)]
    own = [record for record in ended if record.start_time is not None]
    unstarted = [record for record in ended if record.start_time is None]
    return Tries(
        newest[0].dagster_run.run_id,
        failed=len(own),
        last_failed_at=_newest_end(own),
        interrupted=len(failed) - len(ended),
        unstarted=len(unstarted),
        last_unstarted_at=_newest_end(unstarted),
    )


def _newest_end(records: Sequence[dg.RunRecord]) -> datetime | None:
    return records[0].update_timestamp if records else None


def _was_interrupted(run: dg.DagsterRun) -> bool:
    """Killed with the hub, or stopped with it by a signal that nobody sent in the UI."""
    return INTERRUPTED in run.tags or run.tags.get(FAILURE_REASON) == "UNEXPECTED_TERMINATION"


def may_try(past: Tries, now: datetime) -> bool:
    """Whether to try now; see `due_again`."""
    due = due_again(past)
    return due is None or now >= due


def due_again(past: Tries) -> datetime | None:
    """When to try: at once (None) the first two times, then after 2, 4, 8 … minutes, six hours at most.

    Runs that a stop of the hub left are no failures: a restart goes on at once. Those that never began tell nothing of
    the work, which then waits for ten minutes at most: that it begins again by itself is soon enough.
    """
    pauses = (
        _end_of_pause(past.failed, past.last_failed_at, LONGEST_PAUSE),
        _end_of_pause(past.unstarted, past.last_unstarted_at, LONGEST_PAUSE_UNSTARTED),
    )
    return max((end for end in pauses if end), default=None)


def _end_of_pause(times: int, last_at: datetime | None, longest: timedelta) -> datetime | None:
    if times < 2 or last_at is None:
        return None
    return last_at + min(timedelta(minutes=2 ** min(times - 1, 10)), longest)  # above 2^10, and so past any `longest`


def ask(
    instance: dg.DagsterInstance,
    tags: Mapping[str, str],
    key: str,
    *,
    selection: Iterable[dg.AssetKey] | None = None,
    alone: Mapping[str, str] | None = None,
) -> dg.RunRequest | dg.SkipReason:
    """A run of the work with these tags, or why there is none now: one is under way, or it failed too often too lately.

    `key` names the work whatever the attempt; `alone` are the tags of the runs that must be over first, when they are
    more than those of this very work.
    """
    past = tries(instance, tags)
    if unfinished(instance, alone or tags):
        return dg.SkipReason("under way")
    if not may_try(past, datetime.now(UTC)):
        return dg.SkipReason(postponed(past))
    return dg.RunRequest(
        run_key=f"{key}:{past.last}", tags=dict(tags), asset_selection=list(selection) if selection else None
    )


def postponed(past: Tries) -> str:
    """What to say of work that may not be tried now."""
    due = due_again(past)
    when = f"after {due.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if due else "now"
    return f"{POSTPONED} {past.failed + past.unstarted} times; look at its runs. It is tried again {when}"


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
