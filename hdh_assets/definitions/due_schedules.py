"""Which schedules a tick must make up for: those whose last hour passed without a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._utils.schedules import get_latest_completed_cron_tick


def is_due(instance: dg.DagsterInstance, schedule: dg.ScheduleDefinition, now: datetime) -> bool:
    """Whether the hub was at work before the schedule's last hour and no run of its job began since."""
    last = get_latest_completed_cron_tick(str(schedule.cron_schedule), now, schedule.execution_timezone)
    if last is None:
        return False
    oldest = instance.get_run_records(limit=1, ascending=True)
    newest = instance.get_run_records(dg.RunsFilter(job_name=schedule.job_name), limit=1)
    return _began_before(oldest, last) and (not newest or _began_before(newest, last))


def _began_before(runs: Sequence[dg.RunRecord], instant: datetime) -> bool:
    return any(run.create_timestamp.astimezone(UTC) < instant for run in runs)
