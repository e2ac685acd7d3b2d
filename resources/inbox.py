"""The inbox: which sealed deliveries are there, and moving one out of it.

A delivery is there once `manifest.json` is; until then nothing of it is read. Only the manifest is read here, through
no link, and bounded; judging it belongs to the intake.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hdh_assets.core.home import Home

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Dropped:
    """One sealed delivery in the inbox, named by its folders: `<producer>/<dataset>/<period>/`.

    `digest` identifies it (SHA-256 of the manifest's bytes); `sealed_at` is what the manifest says, or the file's time
    when it says nothing readable. `is_known` tells whether a descriptor has that dataset.
    """

    folder: Path
    producer: str
    dataset: str
    period: str
    digest: str
    sealed_at: datetime
    is_known: bool = True


def scan(home: Home, datasets: Collection[str]) -> list[Dropped]:
    """Every sealed delivery, oldest first. `datasets` are the ids that descriptors have.

    A folder without a manifest is still being filled and is passed over. 10,000 deliveries take about a second.
    """
    found = [
        dropped
        for producer in _folders(home.inbox)
        for dataset in _folders(producer)
        for period in _folders(dataset)
        if (dropped := _look(period, datasets))
    ]
    return sorted(found, key=lambda d: (d.sealed_at, d.dataset, d.period, d.digest))


def look(folder: Path, datasets: Collection[str]) -> Dropped | None:
    """The delivery in one folder of the inbox; None while it has no manifest."""
    return _look(os.fspath(folder), datasets)


def read_manifest(folder: Path | str) -> bytes | None:
    """The manifest's bytes, one more than allowed at most; None when it is not a plain file.

    Raises `FileNotFoundError` when there is none.
    """
    try:
        descriptor = os.open(Path(folder) / MANIFEST, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(MAX_MANIFEST_BYTES + 1)


def move_folder(source: Path, target: Path) -> None:
    """Move a delivery whole, reading nothing of it when both are on one disk; an earlier `target` is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copytree(source, target, symlinks=True)
        shutil.rmtree(source)


def remove_folder(folder: Path, inbox: Path) -> None:
    """Remove a delivery that was taken in, and the folders above it that became empty.

    The manifest goes first: what a crash leaves of the folder is then no delivery.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    for parent in folder.parents:
        if parent == inbox or inbox not in parent.parents:
            return
        try:
            parent.rmdir()
        except OSError:
            return


def _folders(path: Path | str) -> Iterator[str]:
    try:
        with os.scandir(path) as entries:
            yield from [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return


def _look(folder: str, datasets: Collection[str]) -> Dropped | None:
    try:
        content = read_manifest(folder)
        changed = (Path(folder) / MANIFEST).lstat().st_mtime
    except FileNotFoundError:
        return None
    above, period = os.path.split(folder)
    above, dataset = os.path.split(above)
    return Dropped(
        folder=Path(folder),
        producer=os.path.basename(above),  # noqa: PTH119 - ten thousand of them
        dataset=dataset,
        period=period,
        digest=hashlib.sha256(folder.encode() if content is None else content).hexdigest(),
        sealed_at=_sealed_at(content) or datetime.fromtimestamp(changed, UTC),
        is_known=dataset in datasets,
    )


def _sealed_at(content: bytes | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(json.loads(content or b"")["sealed_at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return instant.astimezone(UTC) if instant.utcoffset() is not None else None
