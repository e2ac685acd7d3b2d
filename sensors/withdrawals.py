"""Extracts that hold somebody who objected are withdrawn; the decisions sensor then has them replaced. Hub only."""

from datetime import UTC, datetime

import dagster as dg

from resources.failures import told
from resources.hub import Hub
from sensors.runs import may_try, postponed, tries, unfinished

SECONDS = 10


def withdrawal_job() -> dg.JobDefinition:
    """The job: one op."""

    @dg.op(
        name="withdraw_opposed_extracts",
        description="Empties the extracts that hold somebody who objected, and leaves a notice in their place.",
    )
    def withdraw_opposed_extracts(context: dg.OpExecutionContext, hub: Hub) -> None:
        from hdh_assets.core.descriptor_files import load_datasets  # noqa: PLC0415
        from hdh_assets.extracts.withdraw import withdraw_extracts  # noqa: PLC0415 - slow to import

        with told():
            done = withdraw_extracts(hub.home, hub.settings, load_datasets(hub.home))
        context.log.info(f"withdrawn: {', '.join(done) or 'none'}")

    @dg.job(
        name="withdrawals",
        description="No project keeps the data of a person who objected.",
        executor_def=dg.in_process_executor,
        tags={"hdh/work": "withdrawal"},
    )
    def withdrawals() -> None:
        withdraw_opposed_extracts()

    return withdrawals


def withdrawals_sensor(job: dg.JobDefinition) -> dg.SensorDefinition:
    """Asks for a run when extracts are to be looked at for an opposition."""

    @dg.sensor(
        name="withdrawals",
        description="Oppositions that the lake follows and for which extracts were not looked at yet.",
        job=job,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def withdrawals(context: dg.SensorEvaluationContext, hub: Hub) -> dg.RunRequest | dg.SkipReason:
        from hdh_assets.extracts.withdraw import revision_to_withdraw_for  # noqa: PLC0415 - slow to import

        revision = revision_to_withdraw_for(hub.home, hub.settings)
        if revision is None:
            return dg.SkipReason("no extract is to be looked at")
        tags = {"hdh/work": "withdrawal", "hdh/revision": str(revision)}
        past = tries(context.instance, tags)
        if unfinished(context.instance, tags):
            return dg.SkipReason("under way")
        if not may_try(past, datetime.now(UTC)):
            return dg.SkipReason(postponed(past))
        return dg.RunRequest(run_key=f"withdrawal-{revision}:{past.total}", tags=tags)

    return withdrawals
