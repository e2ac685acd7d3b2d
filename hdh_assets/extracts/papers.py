"""What went with the data of each version, as it was delivered: kept by the hub, since descriptors change their words.

README, dictionary and manifest; never a row. A version is proved and put back by its data, made again from the release,
and these.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from hdh_assets.core.digests import sha256_of
from hdh_assets.core.home import Home
from hdh_assets.extracts.documents import MANIFEST, PAPERS


def keep_papers(home: Home, project: str, number: int, folder: Path) -> None:
    """Keep those of the version that is about to be put in its place. Can be done again."""
    place = _place(home, project, number)
    partial = place.with_name(f".{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in PAPERS:
        shutil.copyfile(folder / name, partial / name)
    shutil.rmtree(place, ignore_errors=True)
    partial.rename(place)


def put_papers(home: Home, project: str, number: int, manifest_sha256: str, folder: Path) -> None:
    """Put those that were delivered under that manifest into `folder`, in place of what is there; else leave it."""
    if kept_manifest(home, project, number) == manifest_sha256:
        for name in PAPERS:
            shutil.copyfile(_place(home, project, number) / name, folder / name)


def kept_manifest(home: Home, project: str, number: int) -> str | None:
    """SHA-256 of the manifest among those that are kept for that version; None where none are."""
    path = _place(home, project, number) / MANIFEST
    return sha256_of(path) if path.is_file() else None


def not_as_listed(folder: Path) -> list[str]:
    """Files of the folder that are not those its manifest lists."""
    listed = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    return [
        f"{file['name']} differs from what was delivered"
        for file in listed
        if not (folder / file["name"]).is_file() or sha256_of(folder / file["name"]) != file["sha256"]
    ]


def _place(home: Home, project: str, number: int) -> Path:
    return home.registry / "extracts" / project / f"v{number}"
