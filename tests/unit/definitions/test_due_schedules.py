"""When a tick makes up for a schedule whose hour passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from hdh_assets.definitions.due_schedules import is_due
from tests.failing_job import failing, succeeding

NIGHTLY = dg.ScheduleDefinition(name="nightly", job=succeeding, cron_schedule="0 3 * * *", execution_timezone="UTC")


def test_a_night_that_passed_is_made_up_for_once_by_a_hub_that_was_there() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        now = datetime.now(UTC)
        assert not is_due(instance, NIGHTLY, now + timedelta(days=3))
        failing.execute_in_process(instance=instance, raise_on_error=False)
        assert not is_due(instance, NIGHTLY, now)
        assert is_due(instance, NIGHTLY, now + timedelta(days=1))
        succeeding.execute_in_process(instance=instance)
        assert not is_due(instance, NIGHTLY, now)
        assert is_due(instance, NIGHTLY, now + timedelta(days=1))
