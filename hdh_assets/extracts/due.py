"""Which permits wait for an extract: nothing was delivered, the last version was withdrawn, or a newer one is wanted.

A version is never changed. What producers delivered since makes the next one by itself where the permit says so; under
the others the project asks for it, and the event log remembers from which release on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.deliverable import deliverable, undeliverable
from hdh_assets.extracts.plan import OMOP
from hdh_assets.extracts.provenance import feeding_tables
from hdh_assets.extracts.space import placed_only
from hdh_assets.extracts.versions import Version, list_versions, recorded_manifests
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import find_permit
from resources.lake import open_lake
from resources.registry import DELIVERED, Event, Registry, current_actor
from resources.releases import Release, find

ASKED = "extract.asked"
Grant = tuple[str, int]
"""A project and the number of its permit."""


def due(permits: Iterable[Permit], delivered: Mapping[Grant, int], wanted: Mapping[Grant, int]) -> list[Permit]:
    """Permits whose extract is to be made now. Pure.

    `delivered` has the release last delivered under each permit, `wanted` the release that must be reached.
    """
    return [permit for permit in permits if delivered.get(_grant(permit), 0) < wanted.get(_grant(permit), 1)]


def lacking(tables: Iterable[str], release: Release) -> list[str]:
    """Of these tables, those of which nothing was delivered before a release; it may have them, empty. Pure.

    An extract of them waits for a release that has them all.
    """
    rows, delivered = release.contents["rows"], {OMOP, *release.contents["deliveries"]}
    return sorted(table for table in set(tables) if table not in rows or table.partition(".")[0] not in delivered)


def following(
    permits: Iterable[Permit], delivered: Mapping[Grant, int], releases: Sequence[Release]
) -> dict[Grant, int]:
    """The newest release, for each of these permits that has a version of an earlier one that differs.

    `permits` are those that follow deliveries. A release differs for a permit by the deliveries of a dataset that feeds
    its tables, by vocabularies and other rules, or by the hub's code.
    """
    known = {release.number: release for release in releases}
    found = {}
    for permit in permits:
        last = known.get(delivered.get(_grant(permit), 0))
        if last and _fed_by(permit, last) != _fed_by(permit, releases[-1]):
            found[_grant(permit)] = releases[-1].number
    return found


def delivered_releases(versions: Iterable[Version], untold: Collection[Version] = ()) -> dict[Grant, int]:
    """The release of the last version under each permit; 0 when that one was withdrawn, even where an older stands.

    So it is where one is `untold`: a killed build put it in place, and the next is to write that down. `versions` in
    the order of their numbers.
    """
    found = {_grant_of(version): 0 if version.is_withdrawn else version.basis.release for version in versions}
    return found | {_grant_of(version): 0 for version in untold}


def read_delivered(home: Home, registry: Registry, project: str | None = None) -> dict[Grant, int]:
    """The same, of that project or of all, as it is now. Folders that the hub did not put there do not count."""
    versions = list_versions(home, project)
    recorded = recorded_manifests(registry.events(DELIVERED))
    known = [version for version in versions if (version.project, version.number) in recorded]
    return delivered_releases(known, placed_only(home, versions, recorded))


def asked_releases(registry: Registry) -> dict[Grant, int]:
    """The release from which on each permit's last asked version is to be made."""
    return {(event.subject, event.said("permit", int)): event.said("release", int) for event in registry.events(ASKED)}


def ask(home: Home, settings: Settings, datasets: Mapping[str, Dataset], project: str) -> Event:
    """Ask for the next version of a project's extract, from the newest release, under the permit in force.

    Raises `RefusedError` when no permit is in force, it names what the hub does not deliver, or the newest release was
    delivered under it already, `HubError` when there is no release.
    """
    with Registry(home, settings) as registry:
        permit = find_permit(registry, project, known=deliverable(datasets), withheld=undeliverable(datasets))
        release = find(open_lake(home, settings)).number
        if read_delivered(home, registry, project).get(_grant(permit), 0) >= release:
            raise RefusedError(
                f"{project} has what release {release} holds, the newest",
                remedy="a new release follows the next delivery; see `hdh extract list`",
            )
        return registry.append(ASKED, project, current_actor(), {"permit": permit.number, "release": release})


def _fed_by(permit: Permit, release: Release) -> tuple[str, str | None, dict[str, Any]]:
    """What decides the bytes of an extract of that release, beside the permit."""
    datasets = {dataset for table in permit.tables for dataset, _ in feeding_tables(table)}
    loaded = release.contents["deliveries"]
    return release.code_commit, release.contents.get("rules"), {name: loaded.get(name) for name in sorted(datasets)}


def _grant(permit: Permit) -> Grant:
    return permit.project, permit.number


def _grant_of(version: Version) -> Grant:
    return version.project, version.basis.permit
