"""Permits that ended ask for what was delivered under them to be withdrawn. Hub only."""

from datetime import UTC, datetime
from hashlib import sha256

import dagster as dg

from hdh_assets.extracts.ended import spaces_to_clear
from resources.hub import Hub
from sensors.runs import may_try, postponed, tries, unfinished

SECONDS = 30


def expiries_sensor(job: dg.JobDefinition) -> dg.SensorDefinition:
    """Asks for a run when a project keeps an extract whose permit expired, was revoked or given up."""

    @dg.sensor(
        name="expiries",
        description="Extracts whose permit expired, was revoked or given up.",
        job=job,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def expiries(context: dg.SensorEvaluationContext, hub: Hub) -> dg.RunRequest | dg.SkipReason:
        names = spaces_to_clear(hub.home, hub.settings)
        if not names:
            return dg.SkipReason("no project keeps an extract beyond its permit")
        token = sha256(" ".join(names).encode()).hexdigest()[:12]
        tags = {"hdh/work": "withdrawal", "hdh/ended": token}
        past = tries(context.instance, tags)
        if unfinished(context.instance, tags):
            return dg.SkipReason("under way")
        if not may_try(past, datetime.now(UTC)):
            return dg.SkipReason(postponed(past))
        return dg.RunRequest(run_key=f"expiry-{token}:{past.total}", tags=tags)

    return expiries
