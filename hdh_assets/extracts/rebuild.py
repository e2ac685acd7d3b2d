"""The proof of an extract: built again from its release, it is the same byte for byte.

What was delivered is known from the registry, and its papers are kept by the hub, so that even a version whose folder
is gone can be proved and put back, whatever descriptors say today.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.digests import sha256_of
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.build import Progress, check_release, write_extract
from hdh_assets.extracts.documents import BUILD, MANIFEST, Basis
from hdh_assets.extracts.papers import not_as_listed, put_papers
from hdh_assets.extracts.space import project_lock
from hdh_assets.extracts.versions import (
    find_version,
    put_in_place,
    verify_version,
)
from hdh_assets.extracts.withdrawal import withdrawals
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import find_permit, find_project, permit_of, today
from resources.lake import open_lake
from resources.registry import DELIVERED, Registry
from resources.releases import Release, find_in


def rebuild_extract(
    home: Home,
    settings: Settings,
    datasets: Mapping[str, Dataset],
    name: str,
    *,
    on_progress: Progress | None = None,
) -> list[str]:
    """Build a delivered version again from its release; the differences found with what the registry recorded.

    A version that is damaged or gone is put back when the rebuilt one is the one that was delivered.
    Raises `RefusedError` when no such version was ever delivered, when it was withdrawn, when the project has no permit
    any more, or when its release was retired or holds somebody who objected.
    """
    project, number, recorded = _delivered(home, settings, name)
    basis = Basis(**recorded["basis"])
    with (
        Registry(home, settings) as registry,
        project_lock(home, registry, project) as space,
        open_lake(home, settings).reader() as head,
    ):
        _check_not_withdrawn(registry, project, number)
        permit, release = permit_of(registry, project, basis.permit), find_in(head, basis.release)
        _check_deliverable(registry, head, permit, release)
        partial = space.folder / f".v{number}.{uuid.uuid4().hex[:8]}.partial"
        try:
            write_extract(home, settings, datasets, permit, release, basis, number, partial, on_progress)
            put_papers(home, project, number, recorded["manifest_sha256"], partial)
            if sha256_of(partial / MANIFEST) != recorded["manifest_sha256"]:
                return _differences(partial, space.folder / f"v{number}")
            if changed := not_as_listed(partial):
                return changed
            if not _is_whole(home, f"{project}/v{number}", recorded["manifest_sha256"]):
                _check_deliverable(registry, head, permit, release)
                put_in_place(partial, space.folder / f"v{number}")
            return []
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _check_not_withdrawn(registry: Registry, project: str, number: int) -> None:
    if found := withdrawals(registry).get((project, number)):
        raise RefusedError(
            f"{project}/v{number} was withdrawn on {found.on}: {found.words}",
            remedy=f"use the latest version: `hdh extract list {project}`",
        )


def _check_deliverable(registry: Registry, head: duckdb.DuckDBPyConnection, permit: Permit, release: Release) -> None:
    """What is put back is delivered again: a permit that ended, or somebody who objected, forbids that too."""
    find_permit(registry, permit.project)
    if end := find_project(registry, permit.project).end_of(permit.number, today()):
        raise RefusedError(
            f"permit {permit.number} of {permit.project} ended on {end.day}",
            remedy=f"see `hdh project show {permit.project}`",
        )
    check_release(head, registry, release)


def _is_whole(home: Home, name: str, manifest_sha256: str) -> bool:
    try:
        version = find_version(home, name)
    except RefusedError:
        return False
    # the log knows of no withdrawal: one that looks withdrawn was emptied by somebody else
    return not version.is_withdrawn and not verify_version(version, manifest_sha256)


def _delivered(home: Home, settings: Settings, name: str) -> tuple[str, int, dict[str, Any]]:
    project, _, wanted = name.partition("/")
    with Registry(home, settings) as registry:
        events = [e for e in registry.events(DELIVERED) if e.subject == project]
    events = [e for e in events if not wanted or f"v{e.said('version', int)}" == wanted]
    if not events:
        raise RefusedError(f"no extract {name} was delivered", remedy="see `hdh extract list`")
    return project, events[-1].said("version", int), events[-1].data


def _differences(rebuilt: Path, delivered: Path) -> list[str]:
    """Files whose bytes differ, the manifest last."""
    names = sorted(str(p.relative_to(rebuilt)) for p in rebuilt.rglob("*") if p.is_file() and p.name != BUILD)
    return [
        f"{name} differs from what was delivered"
        for name in names
        if not (delivered / name).is_file() or sha256_of(rebuilt / name) != sha256_of(delivered / name)
    ] or [f"{MANIFEST} differs from what was recorded"]
