"""Permits that ended ask for what was delivered under them to be withdrawn. Hub only."""

from hashlib import sha256

import dagster as dg

from hdh_assets.core.digests import short
from hdh_assets.extracts.ended import spaces_to_clear
from resources.hub import Hub
from sensors.reload import unless_descriptors_are_wrong
from sensors.runs import ask

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
    @unless_descriptors_are_wrong
    def expiries(context: dg.SensorEvaluationContext, hub: Hub) -> dg.RunRequest | dg.SkipReason:
        names = spaces_to_clear(hub.home, hub.settings)
        if not names:
            return dg.SkipReason("no project keeps an extract beyond its permit")
        token = short(sha256(" ".join(names).encode()).hexdigest())
        tags = {"hdh/work": "withdrawal", "hdh/ended": token}
        return ask(context.instance, tags, f"expiry-{token}")

    return expiries
