"""The project space: which versions exist, whether one is whole, and putting a new one in place.

A version is a folder that appears by one rename; what a crash leaves has a name that begins with a dot and is removed
by the next build.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from hdh_assets.core.crash import crash_point
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home
from hdh_assets.extracts.documents import BUILD, MANIFEST, Basis

NOTICE = "WITHDRAWN.md"
"""What a withdrawn version holds beside its manifest."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Version:
    """One delivered version of a project's extract."""

    project: str
    number: int
    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """`project/v1`."""
        return f"{self.project}/v{self.number}"

    @property
    def basis(self) -> Basis:
        """What it was made from."""
        return Basis(**self.manifest["basis"])

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken back; its data are gone, or going."""
        return (self.folder / NOTICE).exists()

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        return {file["table"]: file["rows"] for file in self.manifest["files"] if "table" in file}


def list_versions(home: Home, project: str | None = None) -> list[Version]:
    """Versions of that project or of all, in order. A folder without a readable manifest is left out."""
    names = [project] if project else sorted(p.name for p in _folders(home.projects))
    return [version for name in names for version in _versions_of(home, name)]


def find_version(home: Home, name: str) -> Version:
    """The version `project/v<n>`, or the latest of `project`. Raises `RefusedError` when there is none."""
    project, _, number = name.partition("/")
    known = list_versions(home, project) if project else []
    versions = [v for v in known if not number or f"v{v.number}" == number]
    if not versions:
        raise RefusedError(f"there is no extract {name}", remedy="see `hdh extract list`")
    return versions[-1]


def _versions_of(home: Home, project: str) -> list[Version]:
    found = []
    for folder in _folders(home.projects / project):
        try:
            content = json.loads((folder / MANIFEST).read_text("utf-8"))
            found.append(Version(project, int(content["version"]), folder, content))
        except (OSError, ValueError, KeyError):
            continue
    return sorted(found, key=lambda version: version.number)


def _folders(parent: Path) -> list[Path]:
    return [p for p in parent.iterdir() if p.is_dir() and not p.name.startswith(".")] if parent.is_dir() else []


@contextmanager
def project_lock(home: Home, project: str) -> Iterator[Path]:
    """Hold the project's space alone, cleared of what a crash left; yields its folder."""
    folder = home.projects / project
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        for left in unfinished(home, project):
            shutil.rmtree(left)
        yield folder


def unfinished(home: Home, project: str) -> list[Path]:
    """What builds left that were killed, or are still writing."""
    return list((home.projects / project).glob(".v*.partial"))


def put_in_place(partial: Path, final: Path) -> None:
    """Make a complete folder appear as `final`, durably, in place of a damaged one if there is one."""
    for path in [*partial.rglob("*"), partial]:
        if path.is_file():
            path.chmod(0o444)
        _fsync(path)
    crash_point("extract.written")
    if final.exists():
        final.rename(partial.with_name(f".{final.name}.damaged.partial"))
    partial.rename(final)
    _fsync(final.parent)
    crash_point("extract.placed")


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify_version(version: Version) -> list[str]:
    """Every difference between the files and their manifest, in words; empty when the version is whole.

    A withdrawn version is whole when nothing is left of its data.
    """
    if version.is_withdrawn:
        return [f"{name} is left of a withdrawn extract" for name in leftovers(version)]
    problems = []
    for file in version.manifest["files"]:
        path = version.folder / file["name"]
        if not path.is_file():
            problems.append(f"{file['name']} is missing")
        elif sha256_of(path) != file["sha256"]:
            problems.append(f"{file['name']} was altered")
    expected = {file["name"] for file in version.manifest["files"]} | {MANIFEST, BUILD}
    present = {str(p.relative_to(version.folder)) for p in version.folder.rglob("*") if p.is_file()}
    return problems + [f"{name} is not part of the extract" for name in sorted(present - expected)]


def leftovers(version: Version) -> list[str]:
    """Files of a withdrawn version that should be gone."""
    present = (str(path.relative_to(version.folder)) for path in version.folder.rglob("*") if path.is_file())
    return sorted(name for name in present if name not in {NOTICE, MANIFEST})


def empty(version: Version, notice: str) -> None:
    """Put the notice in the folder, then remove all but it and the manifest. Can be done again."""
    if not version.is_withdrawn:
        part = version.folder / f".{NOTICE}.part"
        part.write_text(notice, "utf-8", newline="\n")
        part.chmod(0o444)
        _fsync(part)
        part.rename(version.folder / NOTICE)
        _fsync(version.folder)
        crash_point("withdrawal.noticed")
    for name in leftovers(version):
        (version.folder / name).unlink(missing_ok=True)
        crash_point("withdrawal.emptying")
    for folder in sorted((p for p in version.folder.rglob("*") if p.is_dir()), reverse=True):
        folder.rmdir()
    _fsync(version.folder)


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
