"""Permits that wait for an extract ask for it; definitions are loaded again when permits came or ended."""

from collections.abc import Collection, Iterator, Mapping

import dagster as dg

from hdh_assets.core.descriptor import Dataset
from hdh_assets.extracts.assets import extract_keys
from hdh_assets.extracts.deliverable import deliverable
from hdh_assets.extracts.due import asked_releases, due, following, lacking, read_delivered
from hdh_assets.governance.dossier import Updates
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import active_permits
from resources.hub import Hub
from resources.releases import Release, latest, list_releases
from resources.webserver import reload_location
from sensors.opposition_wait import is_opposition_waiting
from sensors.reload import unless_descriptors_are_wrong
from sensors.runs import ask

SECONDS = 10


def decisions_sensor(
    location: str, datasets: Mapping[str, Dataset], loaded: Mapping[str, int], disabled: Collection[str] = ()
) -> dg.SensorDefinition:
    """Asks for a run per permit without extract; `loaded` has the permit number of each project that was looked at.

    Permits whose id is `disabled` became no asset, and would not by loading again. `location` is the code location to
    load again for a permit that came since.
    """

    @dg.sensor(
        name="decisions",
        description="Permits in force whose extract was not delivered yet, was withdrawn, or is wanted anew.",
        asset_selection=dg.AssetSelection.key_prefixes(["extracts"]),
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    @unless_descriptors_are_wrong
    def decisions(context: dg.SensorEvaluationContext, hub: Hub) -> Iterator[dg.RunRequest | dg.SkipReason]:
        permits, waiting = _permits(hub, datasets)
        unknown = [permit for permit in waiting if loaded.get(permit.project) != permit.number]
        over = sorted(set(loaded) - {permit.project for permit in permits})
        changed = [*(permit.id for permit in unknown), *(f"{project}, without a permit" for project in over)]
        if changed and reload_location(hub.home, location):
            yield dg.SkipReason(f"definitions are loaded again for {', '.join(changed)}")
            return
        if not waiting:
            yield dg.SkipReason("every permit in force has its extract")
            return
        release = latest(hub.lake)
        if release is None or is_opposition_waiting(hub):
            yield dg.SkipReason(f"{len(waiting)} permit(s) wait for a release that holds nobody who objected")
            return
        answers = [
            f"{permit.id}: it is disabled, see the log of the code location"
            if permit.id in disabled
            else _request(context.instance, permit, release)
            for permit in waiting
            if permit not in unknown
        ]
        requests = [answer for answer in answers if isinstance(answer, dg.RunRequest)]
        yield from requests
        if answers and not requests:
            yield dg.SkipReason("; ".join(str(answer) for answer in answers))

    return decisions


def _permits(hub: Hub, datasets: Mapping[str, Dataset]) -> tuple[list[Permit], list[Permit]]:
    """Those in force, and of these the ones that wait for an extract."""
    with hub.registry() as registry:
        permits = active_permits(registry, known=deliverable(datasets))
        asked, delivered = asked_releases(registry), read_delivered(hub.home, registry)
    followers = [permit for permit in permits if permit.updates is Updates.on_delivery]
    wanted = asked | (following(followers, delivered, list_releases(hub.lake)) if followers else {})
    return permits, due(permits, delivered, wanted)


def _request(instance: dg.DagsterInstance, permit: Permit, release: Release) -> dg.RunRequest | str:
    """The run for this permit from the newest release, or why there is none now."""
    if tables := lacking(permit.tables, release):
        return f"{permit.id}: it waits for a release with {', '.join(tables)}, of which nothing was delivered yet"
    tags = {"hdh/work": "extract", "hdh/project": permit.project, "hdh/permit": str(permit.number)}
    keys = [dg.AssetKey(list(key.parts)) for key in extract_keys(permit).values()]
    answer = ask(instance, tags, permit.id, selection=keys)
    return f"{permit.id}: {answer.skip_message}" if isinstance(answer, dg.SkipReason) else answer
