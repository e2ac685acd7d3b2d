"""Extracts that hold somebody who objected, or whose permit ended, are withdrawn. Hub only.

The decisions sensor then has those replaced that a permit still allows.
"""

from hashlib import sha256

import dagster as dg

from hdh_assets.core.digests import short
from resources.failures import told_to_dagster
from resources.hub import Hub
from resources.registry import Registry
from sensors.reload import unless_descriptors_are_wrong
from sensors.runs import ask

SECONDS = 10


def withdrawal_job() -> dg.JobDefinition:
    """The job: two ops, neither of which waits for the other."""

    @dg.op(
        name="withdraw_ended_extracts",
        description="Empties the extracts whose permit ended, and leaves a notice.",
    )
    def withdraw_ended_extracts(context: dg.OpExecutionContext, hub: Hub) -> None:
        from hdh_assets.extracts.ended import withdraw_ended  # noqa: PLC0415 - slow to import

        with told_to_dagster():
            done = withdraw_ended(hub.home, hub.settings)
        _report(context, hub, done)

    @dg.op(
        name="withdraw_opposed_extracts",
        description="Empties the extracts that hold somebody who objected, and leaves a notice.",
    )
    def withdraw_opposed_extracts(context: dg.OpExecutionContext, hub: Hub) -> None:
        from hdh_assets.core.descriptor_files import load_datasets  # noqa: PLC0415
        from hdh_assets.extracts.opposed import withdraw_opposed  # noqa: PLC0415 - slow to import

        with told_to_dagster():
            done = withdraw_opposed(hub.home, hub.settings, load_datasets(hub.home))
        _report(context, hub, done)

    @dg.job(
        name="withdrawals",
        description="No project keeps the data of a person who objected, nor anything beyond its permit.",
        executor_def=dg.in_process_executor,
        tags={"hdh/work": "withdrawal"},
    )
    def withdrawals() -> None:
        withdraw_ended_extracts()
        withdraw_opposed_extracts()

    return withdrawals


def _report(context: dg.OpExecutionContext, hub: Hub, done: list[str]) -> None:
    """Say on the page of each withdrawn asset that it was, and why."""
    from hdh_assets.extracts.assets import withdrawn_assets  # noqa: PLC0415 - slow to import

    context.log.info(f"withdrawn: {', '.join(done) or 'none'}")
    with Registry(hub.home, hub.settings) as registry:
        for name in done:
            for observation in withdrawn_assets(registry, name):
                context.log_event(observation)


def withdrawals_sensor(job: dg.JobDefinition) -> dg.SensorDefinition:
    """Asks for a run when extracts are to be looked at for an opposition, or one that was withdrawn is back."""

    @dg.sensor(
        name="withdrawals",
        description="Oppositions that the lake follows and for which extracts were not looked at yet.",
        job=job,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    @unless_descriptors_are_wrong
    def withdrawals(context: dg.SensorEvaluationContext, hub: Hub) -> dg.RunRequest | dg.SkipReason:
        from hdh_assets.extracts.opposed import came_back, revision_to_withdraw_for  # noqa: PLC0415 - slow to import

        revision, again = revision_to_withdraw_for(hub.home, hub.settings), came_back(hub.home, hub.settings)
        if revision is None and not again:
            return dg.SkipReason("no extract is to be looked at")
        token = str(revision) if revision is not None else short(sha256(" ".join(again).encode()).hexdigest())
        tags = {"hdh/work": "withdrawal", "hdh/revision": token}
        return ask(context.instance, tags, f"withdrawal-{token}")

    return withdrawals
