"""What came into the lake asks for standardisation, a release and the catalogue entries it changes. Hub only."""

from collections.abc import Collection
from datetime import UTC, datetime

import dagster as dg

from hdh_assets.catalog.due import due, read_state, should_wait
from hdh_assets.core.keys import catalog_key
from resources.hub import Hub
from sensors.opposition_wait import is_opposition_waiting
from sensors.runs import ask, unfinished

SECONDS = 10
JOB = "standardise"


def standardisation_sensor(
    tables: Collection[dg.AssetKey], release: dg.AssetKey, entries: Collection[str]
) -> dg.SensorDefinition:
    """Asks for one run when the lake and the newest release differ.

    `tables` are dbt's assets, asked for only when they are behind; `entries` the datasets that have an entry.
    """

    @dg.sensor(
        name="standardisation",
        description="Deliveries in the lake that are not in the newest release, or rules that changed since.",
        job_name=JOB,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def standardisation(context: dg.SensorEvaluationContext, hub: Hub) -> dg.RunRequest | dg.SkipReason:
        if unfinished(context.instance, {"hdh/work": "standardise"}):
            return dg.SkipReason("standardisation is under way")
        if is_opposition_waiting(hub):
            return dg.SkipReason("rows are removed for an opposition first")
        with hub.lake.reader() as engine:
            state = read_state(engine, hub.settings.vocab_dir)
        left = due(state, entries)
        if left is None:
            return dg.SkipReason("the newest release shows the lake as it is")
        intake = bool(unfinished(context.instance, {"hdh/work": "intake"}))
        if should_wait(state, intake_under_way=intake, now=datetime.now(UTC)):
            return dg.SkipReason("deliveries are coming in; they are standardised together")
        tags = {"hdh/work": "standardise", "hdh/due": left.token}
        changed = [dg.AssetKey(list(catalog_key(name).parts)) for name in left.datasets if name in entries]
        selection = [*(tables if state.is_behind else ()), release, *changed]
        return ask(context.instance, tags, left.token, selection=selection)

    return standardisation
