"""A project's space held alone: what killed builds left there is put right before anything else is done.

What they had not finished is removed. What they had put in place and not written down is written down: the hub keeps
the papers of a version before it puts it there, so that they tell it from a folder that somebody put there. What a
version is, is in `versions.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from hdh_assets.core.digests import sha256_of
from hdh_assets.core.home import Home
from hdh_assets.extracts.documents import MANIFEST
from hdh_assets.extracts.papers import kept_manifest
from hdh_assets.extracts.versions import Version, list_versions, recorded_manifests
from resources.registry import DELIVERED, Registry, current_actor


@dataclass(frozen=True)
class Space:
    """The space of one project."""

    folder: Path
    found: tuple[Version, ...]
    """Versions that a killed build had put in place, written down just now."""


@contextmanager
def project_lock(home: Home, registry: Registry, project: str) -> Iterator[Space]:
    """Hold the project's space alone, put right."""
    folder = home.projects / project
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        for left in unfinished(home, project):
            _remove(left)
        versions = list_versions(home, project)
        found = placed_only(home, versions, recorded_manifests(registry.events(DELIVERED)))
        for version in found:
            record(registry, version)
        yield Space(folder, tuple(found))


def unfinished(home: Home, project: str) -> list[Path]:
    """What builds left that were killed, or are still writing."""
    return list((home.projects / project).glob(".v*.partial"))


def placed_only(home: Home, versions: Iterable[Version], recorded: Collection[tuple[str, int]]) -> list[Version]:
    """Those of the standing versions that builds put in place and that are not among the `recorded` ones.

    `recorded` must have been read after the versions: what is delivered between the two is then no such version.
    """
    return [
        version
        for version in versions
        if (version.project, version.number) not in recorded
        and not version.is_withdrawn
        and _is_the_hubs(home, version)
    ]


def record(registry: Registry, version: Version) -> None:
    """Write down that it was delivered, once."""
    if (version.project, version.number) in recorded_manifests(registry.events(DELIVERED)):
        return
    digest = sha256_of(version.folder / MANIFEST)
    data = {"version": version.number, "basis": vars(version.basis), "manifest_sha256": digest}
    registry.append(DELIVERED, version.project, current_actor(), data)


def _is_the_hubs(home: Home, version: Version) -> bool:
    kept = kept_manifest(home, version.project, version.number)
    return kept is not None and version.is_readable and sha256_of(version.folder / MANIFEST) == kept


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)
