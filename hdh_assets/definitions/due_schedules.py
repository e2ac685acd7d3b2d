"""Which schedules a tick must make up for: those whose last hour passed without a run."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
from dagster._utils.schedules import get_latest_completed_cron_tick

from hdh_assets.core.home import Home


def is_due(home: Home, instance: dg.DagsterInstance, schedule: dg.ScheduleDefinition, now: datetime) -> bool:
    """Whether the schedule's last hour came after the hub was made and no run of its job began since."""
    last = get_latest_completed_cron_tick(str(schedule.cron_schedule), now, schedule.execution_timezone)
    if last is None or last <= made_at(home):
        return False
    newest = instance.get_run_records(dg.RunsFilter(job_name=schedule.job_name), limit=1)
    return not newest or newest[0].create_timestamp.astimezone(UTC) < last


def made_at(home: Home) -> datetime:
    """When `hdh init` made the hub: its settings file is written once."""
    return datetime.fromtimestamp(home.settings_file.stat().st_mtime, UTC)
