"""Oppositions recorded ask for the lake to follow them. Trusted third party only."""

import dagster as dg

from hdh_assets.core.opposition import check_age
from hdh_assets.core.tags import LAKE_POOL
from resources.failures import told_to_dagster
from resources.hub import Hub
from resources.oppositions import read_book
from resources.removals import followed
from sensors.reload import unless_descriptors_are_wrong
from sensors.runs import ask

SECONDS = 10


def opposition_job() -> dg.JobDefinition:
    """The job: one op."""

    @dg.op(
        name="follow_oppositions",
        description="Removes the rows of persons who objected; brings back those of persons who changed their mind.",
        pool=LAKE_POOL,
    )
    def follow_oppositions(context: dg.OpExecutionContext, hub: Hub) -> None:
        from hdh_assets.core.descriptor_files import load_datasets  # noqa: PLC0415
        from hdh_assets.sources.opposed.apply import apply_oppositions  # noqa: PLC0415 - slow to import

        with told_to_dagster():
            done = apply_oppositions(hub.home, hub.settings, load_datasets(hub.home), run_id=context.run_id)
        context.log.info(f"the lake follows revision {done.revision} of the oppositions")

    @dg.job(
        name="oppositions",
        description="The lake holds nobody who objected to the use of their data.",
        executor_def=dg.in_process_executor,
        tags={"hdh/work": "opposition"},
    )
    def oppositions() -> None:
        follow_oppositions()

    return oppositions


def oppositions_sensor(job: dg.JobDefinition) -> dg.SensorDefinition:
    """Asks for a run when the book of oppositions is ahead of the lake, or rows that should be back are not."""

    @dg.sensor(
        name="oppositions",
        description="Oppositions, and oppositions withdrawn, that the lake does not follow yet.",
        job=job,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    @unless_descriptors_are_wrong
    def oppositions(context: dg.SensorEvaluationContext, hub: Hub) -> dg.RunRequest | dg.SkipReason:
        book = read_book(hub.home)
        with hub.lake.reader() as engine:
            applied = followed(engine).applied
        check_age(book, applied)
        if applied == book.revision and not book.to_restore:
            return dg.SkipReason("the lake follows every opposition")
        tags = {"hdh/work": "opposition", "hdh/revision": str(book.revision)}
        return ask(context.instance, tags, f"opposition-{book.revision}", alone={"hdh/work": "opposition"})

    return oppositions
