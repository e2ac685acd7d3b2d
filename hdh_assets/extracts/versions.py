"""The project space: which versions exist, whether one is whole, and putting a new one in place.

A version is a folder that appears by one rename; what a crash leaves has a name that begins with a dot and is removed
by the next build. The people of a project may have changed anything there: what is read is checked, no link is
followed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from hdh_assets.core.crash import crash_point
from hdh_assets.core.digests import sha256_of
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.files import sync, write_atomically
from hdh_assets.core.home import Home
from hdh_assets.extracts.documents import BUILD, MANIFEST, NOBODY, Basis
from resources.registry import DELIVERED, Event

NOTICE = "WITHDRAWN.md"
"""What a withdrawn version holds beside its manifest."""
_NUMBERED = re.compile(r"v([1-9][0-9]{0,8})")
_MOST_MANIFEST_BYTES = 64 << 20


class _Basis(BaseModel):
    model_config = ConfigDict(extra="forbid")

    permit: StrictInt
    release: StrictInt


class _File(BaseModel):
    name: str = Field(pattern=r"^(data/)?[A-Za-z0-9_][A-Za-z0-9_.-]*\z")
    sha256: str
    table: str | None = None
    rows: StrictInt | None = None


class _Delivery(BaseModel):
    dataset: str
    period: str


class _Release(BaseModel):
    number: StrictInt


class _Manifest(BaseModel):
    """What the hub goes by in a manifest, which it wrote itself."""

    basis: _Basis
    files: list[_File]
    release: _Release
    provenance: dict[str, dict[str, dict[str, str]]]
    deliveries: dict[str, _Delivery]

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        tables = [file for file in self.files if file.table is not None]
        if any(file.rows is None or file.table not in self.provenance for file in tables):
            raise ValueError("a table without rows or provenance")
        if any(delivery not in self.deliveries for found in self.provenance.values() for delivery in found):
            raise ValueError("a delivery nothing is said of")
        return self


@dataclass(frozen=True)
class Version:
    """One delivered version of a project's extract."""

    project: str
    number: int
    folder: Path
    manifest: dict[str, Any]
    """Empty when it cannot be read any more: what the version holds is then unknown."""

    @property
    def is_readable(self) -> bool:
        """Whether its manifest is one."""
        return bool(self.manifest)

    @property
    def name(self) -> str:
        """`project/v1`."""
        return f"{self.project}/v{self.number}"

    @property
    def basis(self) -> Basis:
        """What it was made from; no permit and no release have the number 0 of what is unknown."""
        return Basis(**self.manifest["basis"]) if self.manifest else Basis(0, 0)

    @property
    def files(self) -> list[dict[str, Any]]:
        """Its files as the manifest lists them."""
        return list(self.manifest.get("files", ()))

    @property
    def provenance(self) -> dict[str, dict[str, dict[str, str]]]:
        """By table the deliveries it comes from, each with the digests of the files that feed it, by name."""
        return dict(self.manifest.get("provenance", {}))

    @property
    def has_nobody(self) -> bool:
        """Whether nobody met the permit, so that all that is about persons is empty."""
        return self.manifest.get(NOBODY) is True

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken back, and its data are gone. A notice beside data may be anybody's."""
        return (self.folder / NOTICE).exists() and not (self.folder / "data").is_dir()

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        return {file["table"]: file["rows"] for file in self.files if "table" in file}


def list_versions(home: Home, project: str | None = None) -> list[Version]:
    """Versions of that project or of all, in order: the folders `v1`, `v2` … A link is none."""
    names = [project] if project else sorted(p.name for p in _folders(home.projects))
    return [version for name in names for version in _versions_of(home, name)]


def find_version(home: Home, name: str) -> Version:
    """The version `project/v<n>`, or the latest of `project`. Raises `RefusedError` when there is none."""
    project, _, number = name.rstrip("/").partition("/")  # a shell completes a folder's name with one
    known = list_versions(home, project) if project else []
    versions = [v for v in known if not number or f"v{v.number}" == number]
    if not versions:
        raise no_extract(name)
    return versions[-1]


def no_extract(name: str) -> RefusedError:
    """What to say of a name that no version has."""
    return RefusedError(f"there is no extract {name}", remedy="see `hdh extract list`")


def check_readable(version: Version) -> None:
    """Raise `HubError` when nobody can tell any more what the version holds."""
    if not version.is_readable:
        raise HubError(
            f"the manifest of {version.name} was damaged", remedy=f"put it back: `hdh extract rebuild {version.name}`"
        )


def recorded_manifests(events: Iterable[Event]) -> dict[tuple[str, int], str]:
    """SHA-256 of the manifest of each version ever delivered, by project and number, as the event log has it."""
    delivered = (event for event in events if event.kind == DELIVERED)
    return {(event.subject, event.said("version", int)): event.said("manifest_sha256", str) for event in delivered}


def _versions_of(home: Home, project: str) -> list[Version]:
    found = [
        Version(project, int(named[1]), folder, _read_manifest(folder / MANIFEST))
        for folder in _folders(home.projects / project)
        if (named := _NUMBERED.fullmatch(folder.name)) and not folder.is_symlink()
    ]
    return sorted(found, key=lambda version: version.number)


def _read_manifest(path: Path) -> dict[str, Any]:
    """What the manifest says; nothing when it is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content: dict[str, Any] = json.loads(file.read(_MOST_MANIFEST_BYTES))
        _Manifest.model_validate(content)
    except (OSError, ValueError, RecursionError, OverflowError):
        return {}
    return content


def _folders(parent: Path) -> list[Path]:
    return [p for p in parent.iterdir() if p.is_dir() and not p.name.startswith(".")] if parent.is_dir() else []


def put_in_place(partial: Path, final: Path) -> None:
    """Make a complete folder appear as `final`, durably, in place of a damaged one if there is one."""
    for path in [*partial.rglob("*"), partial]:
        if path.is_file():
            path.chmod(0o444)
        sync(path)
    crash_point("extract.written")
    if final.exists() or final.is_symlink():
        final.rename(partial.with_name(f".{final.name}.damaged.partial"))
    partial.rename(final)
    sync(final.parent)
    crash_point("extract.placed")


def verify_version(version: Version, recorded: str | None = None) -> list[str]:
    """Every difference between the files and their manifest, in words; empty when the version is whole.

    `recorded` is the digest of its manifest in the event log, where that is to be the same too. A withdrawn version is
    whole when nothing is left of its data.
    """
    if version.is_withdrawn:
        return [f"{name} is left of a withdrawn extract" for name in leftovers(version)]
    if not version.is_readable:
        return [f"{MANIFEST} cannot be read"]
    is_another = recorded is not None and sha256_of(version.folder / MANIFEST) != recorded
    problems = [f"{MANIFEST} is not the one that was delivered"] if is_another else []
    for file in version.files:
        path = version.folder / file["name"]
        if not path.is_file():
            problems.append(f"{file['name']} is missing")
        elif path.is_symlink():
            problems.append(f"{file['name']} is a link, not a file")
        elif sha256_of(path) != file["sha256"]:
            problems.append(f"{file['name']} was altered")
    expected = {file["name"] for file in version.files} | {MANIFEST, BUILD}
    return problems + [f"{name} is not part of the extract" for name in sorted(_contents(version) - expected)]


def leftovers(version: Version) -> list[str]:
    """Files of a withdrawn version that should be gone."""
    return sorted(_contents(version) - {NOTICE, MANIFEST})


def _contents(version: Version) -> set[str]:
    """Everything in its folder that is no folder itself: files, and links whatever they lead to."""
    found = version.folder.rglob("*")
    return {str(path.relative_to(version.folder)) for path in found if path.is_symlink() or not path.is_dir()}


def empty(version: Version, notice: str) -> None:
    """Put the notice in the folder, then remove all but it and the manifest. Can be done again."""
    if not version.is_withdrawn:
        write_atomically(version.folder / NOTICE, notice.encode("utf-8"), 0o444)
        sync(version.folder)
        crash_point("withdrawal.noticed")
    for name in leftovers(version):
        (version.folder / name).unlink(missing_ok=True)
        crash_point("withdrawal.emptying")
    for folder in sorted((p for p in version.folder.rglob("*") if p.is_dir()), reverse=True):
        folder.rmdir()
    sync(version.folder)
