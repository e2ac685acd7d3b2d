"""What came into the lake asks for standardisation, a release and the catalogue entries it changes. Hub only.

So does what the lake holds and the UI does not show: a run was killed between the two, or somebody wiped the asset.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from hashlib import sha256

import dagster as dg

from hdh_assets.catalog.due import LakeState, due, read_state, should_wait
from hdh_assets.core.digests import short
from hdh_assets.core.keys import catalog_key
from resources.hub import Hub
from sensors.opposition_wait import is_opposition_waiting
from sensors.reload import unless_descriptors_are_wrong
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
    @unless_descriptors_are_wrong
    def standardisation(context: dg.SensorEvaluationContext, hub: Hub) -> dg.RunRequest | dg.SkipReason:
        if unfinished(context.instance, {"hdh/work": "standardise"}):
            return dg.SkipReason("standardisation is under way")
        if is_opposition_waiting(hub):
            return dg.SkipReason("rows are removed for an opposition first")
        with hub.lake.reader() as engine:
            state = read_state(engine, hub.settings.vocab_dir)
        left = due(state, entries)
        if left is None:
            missing = _not_shown(context.instance, _written(state, release, entries))
            if not missing:
                return dg.SkipReason("the newest release shows the lake as it is")
            names = sorted(key.to_user_string() for key in missing)
            token = f"shown-{short(sha256(' '.join(names).encode()).hexdigest())}"
            return ask(context.instance, {"hdh/work": "standardise", "hdh/due": token}, token, selection=missing)
        intake = bool(unfinished(context.instance, {"hdh/work": "intake"}))
        if should_wait(state, intake_under_way=intake, now=datetime.now(UTC)):
            return dg.SkipReason("deliveries are coming in; they are standardised together")
        tags = {"hdh/work": "standardise", "hdh/due": left.token}
        changed = [dg.AssetKey(list(catalog_key(name).parts)) for name in left.datasets if name in entries]
        selection = [*(tables if state.is_behind else ()), release, *changed]
        return ask(context.instance, tags, left.token, selection=selection)

    return standardisation


def _written(state: LakeState, release: dg.AssetKey, entries: Collection[str]) -> dict[dg.AssetKey, datetime]:
    """When the lake's newest release and its entries were written, by asset."""
    found = {
        dg.AssetKey(list(catalog_key(name).parts)): at for name, at in state.described_at.items() if name in entries
    }
    return found | ({release: state.released_at} if state.released_at else {})


def _not_shown(instance: dg.DagsterInstance, written: Mapping[dg.AssetKey, datetime]) -> list[dg.AssetKey]:
    """Assets that the UI shows as of before they were written, or not at all."""
    shown = {
        record.asset_entry.asset_key: record.asset_entry.last_materialization
        for record in instance.get_asset_records(list(written))
    }
    return [
        key
        for key, at in written.items()
        if (event := shown.get(key)) is None or event.timestamp < at.replace(microsecond=0).timestamp()
    ]
