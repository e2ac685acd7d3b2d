"""Every night the lake is compacted and cleaned. Hub only."""

import dagster as dg

from hdh_assets.core.tags import LAKE_POOL
from resources.failures import told_to_dagster
from resources.hub import Hub
from resources.maintenance import maintain

CRON = "30 2 * * *"


def maintenance_job() -> dg.JobDefinition:
    """The job: one op."""

    @dg.op(
        name="compact_and_clean",
        description="Merges small files, expires snapshots no release pins, removes files nothing refers to.",
        pool=LAKE_POOL,
    )
    def compact_and_clean(context: dg.OpExecutionContext, hub: Hub) -> None:
        with told_to_dagster():
            done = maintain(hub.lake)
        context.log.info(
            f"{done.files_before} files became {done.files_after}; "
            f"{done.snapshots_expired} snapshots expired, {done.snapshots_kept} kept"
        )

    @dg.job(
        name="maintenance",
        description="Compaction and clean-up of the lake. What a release or an extract pins is never touched.",
        executor_def=dg.in_process_executor,
        tags={"hdh/work": "maintenance"},
    )
    def maintenance() -> None:
        compact_and_clean()

    return maintenance


def maintenance_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Nightly, UTC."""
    return dg.ScheduleDefinition(
        name="nightly_maintenance",
        description="Compacts and cleans the lake every night.",
        job=job,
        cron_schedule=CRON,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
