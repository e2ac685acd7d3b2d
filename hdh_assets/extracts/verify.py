"""Whether what was delivered is there, as it was delivered: folders of the project space against the event log.

Either may have what the other lacks: a folder is renamed or lost by hand, a log comes from another backup. Here: every
version of both, and what to do. One folder against its manifest is in `versions.py`; the data made again, `rebuild.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.space import placed_only
from hdh_assets.extracts.versions import Version, list_versions, no_extract, recorded_manifests, verify_version
from hdh_assets.extracts.withdrawal import Withdrawal, withdrawals
from hdh_assets.governance.register import projects, today
from resources.lake import open_lake
from resources.registry import DELIVERED, Event, Registry
from resources.removals import retired

Key = tuple[str, int]
"""A project and the number of a version."""


def verify_delivered(home: Home, settings: Settings, name: str | None = None) -> dict[str, list[str]]:
    """Problems of each version, by its name `project/v<n>`; an empty list where all is as it should be.

    One that is gone is told as long as it could be put back: its permit did not end, its release was not retired.
    `name` is a version or a project; every version when left out. Raises `RefusedError` when nothing is called that.
    """
    wanted = name and name.rstrip("/")  # a shell completes a folder's name with one
    there = {(version.project, version.number): version for version in list_versions(home)}
    with Registry(home, settings) as registry:
        delivered, withdrawn = registry.events(DELIVERED), withdrawals(registry)
        stand = [event for event in _under_permit(registry, delivered) if _key(event) not in withdrawn]
    lost = _lost(home, settings, [e for e in stand if _key(e) not in there or there[_key(e)].is_withdrawn])
    chosen = sorted(key for key in there.keys() | lost if wanted in {None, key[0], _name(key)})
    if name is not None and not chosen:
        raise no_extract(name)
    recorded = recorded_manifests(delivered)
    untold = {(version.project, version.number) for version in placed_only(home, there.values(), recorded)}
    told = {key: [_GONE.format(_name(key))] for key in lost} | {key: [_UNTOLD] for key in untold - withdrawn.keys()}
    return {_name(key): told.get(key) or _problems(there[key], recorded.get(key), withdrawn.get(key)) for key in chosen}


_GONE = "it was delivered, not withdrawn, and is gone; put it back: `hdh extract rebuild {}`"
_UNKNOWN = (
    "the event log knows of no such delivery; take the folder away: what was renamed is put back under its number by"
    " `hdh extract rebuild`"
)
_UNTOLD = "the hub was killed when it had put it there; `hdh tick` (or the running hub) writes the delivery down"


def _key(event: Event) -> Key:
    return event.subject, event.said("version", int)


def _name(key: Key) -> str:
    return f"{key[0]}/v{key[1]}"


def _under_permit(registry: Registry, delivered: Sequence[Event]) -> list[Event]:
    """Deliveries whose permit is in force, or one that amends it."""
    known, day = projects(registry), today()
    listed = [(event, known[event.subject]) for event in delivered if event.subject in known]
    return [event for event, project in listed if not project.end_of(event.said("basis.permit", int), day)]


def _lost(home: Home, settings: Settings, missing: Sequence[Event]) -> set[Key]:
    """Those of the missing ones that should be there: what was made from a retired release should not."""
    if not missing:
        return set()
    with open_lake(home, settings).reader() as engine:
        gone = retired(engine)
    return {_key(event) for event in missing if event.said("basis.release", int) not in gone}


def _problems(version: Version, recorded: str | None, withdrawn: Withdrawal | None) -> list[str]:
    if withdrawn and not version.is_withdrawn:
        return [f"it was withdrawn on {withdrawn.on} and is there; `hdh tick` (or the running hub) empties it"]
    if recorded is None and not withdrawn:
        return [_UNKNOWN]
    return verify_version(version, recorded)
