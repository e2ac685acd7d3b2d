"""The inbox: which sealed deliveries are there, and moving one out of it.

A delivery is there once `manifest.json` is; until then nothing of it is read. Only the manifest is read here, through
no link, and bounded; judging it belongs to the intake.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home
from resources.run_folders import remove_dead

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
_LONGEST_NAME = 120
_UNFINISHED = re.compile(r"\.[0-9a-f]{32}(\.lock)?")
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""The hub's own limits: no fault of a folder, and every folder would look empty."""


@dataclass(frozen=True)
class Dropped:
    """One sealed delivery in the inbox, named by its folders: `<producer>/<dataset>/<period>/`, escaped if need be.

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

    A folder without a manifest is still being filled and is passed over. One that cannot be read as it should is
    answered alone, and hides nobody else. 10,000 deliveries take about a second.
    """
    found = [
        dropped
        for producer in _folders(home.inbox)
        for dataset in _folders(producer)
        for period in _folders(dataset, links=True)
        if (dropped := _look(period, datasets))
    ]
    return sorted(found, key=lambda d: (d.sealed_at, d.dataset, d.period, d.digest))


def look(folder: Path, datasets: Collection[str]) -> Dropped | None:
    """The delivery in one folder of the inbox; None while it has no manifest."""
    return _look(os.fspath(folder), datasets)


def holds(folder: Path, digest: str) -> bool:
    """Whether that very delivery lies there: a producer may have put another in its place."""
    dropped = look(folder, ())
    return dropped is not None and dropped.digest == digest


def check_place(home: Home, folder: Path) -> None:
    """Raise `RefusedError` unless it is a place for a delivery, three folders below the inbox.

    What is taken in or refused leaves its folder; any other stays as it is.
    """
    if ".." in folder.parts or folder.parent.parent.parent != home.inbox:
        raise RefusedError(
            "this is no folder of a delivery", remedy=f"deliveries are in {home.inbox}/<producer>/<dataset>/<period>"
        )


def make_place(space: Path, producer: str, *names: str) -> Path:
    """The producer's folder in the inbox or the outbox, or the one below it that `names` lead to; made when missing.

    A producer's folder is the hub's account's alone when new. One below takes the mode of that above, so that a group
    an operator let in reaches it too. What is there stays as it is.
    """
    space.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = space / producer
    _make(folder, 0o700)
    for name in names:
        above, folder = folder, folder / name
        _make(folder, stat.S_IMODE(above.stat().st_mode))
    return folder


def unfinished_place(inbox: Path) -> Path:
    """A place of its own to fill a delivery in, on the inbox's own disk and passed over until it is renamed."""
    return inbox / f".{uuid4().hex}"


def remove_unfinished(inbox: Path) -> tuple[int, list[str]]:
    """Remove such places that nobody fills any more; how many, and which stay, with why."""
    try:
        removed, stay = remove_dead(path for path in inbox.iterdir() if _UNFINISHED.fullmatch(path.name))
    except OSError:
        return 0, []  # there is none, or it is not this account's
    return len(removed), [f"{folder} ({type(error).__name__})" for folder, error in stay.items()]


def _make(folder: Path, mode: int) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    folder.chmod(mode)


def read_manifest(folder: Path | str) -> bytes | None:
    """The manifest's bytes, one more than allowed at most; None when it, or its folder, is not what it should be.

    Raises `FileNotFoundError` when there is none, another `OSError` when the disk fails.
    """
    try:
        descriptor = open_within(folder, MANIFEST)
    except OSError as error:
        if isinstance(error, FileNotFoundError) or error.errno in _EXHAUSTED:
            raise
        return None
    try:
        # a folder opens too, and Python makes no file of it
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_MANIFEST_BYTES + 1)
    finally:
        os.close(descriptor)


def open_within(folder: Path | str, name: str) -> int:
    """A descriptor, to be closed, of what has that name in the folder itself; nothing is waited for.

    Raises `OSError` when one of the two is a link, whatever they were when somebody looked at them last.
    """
    with opened_folder(folder) as place:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)


@contextmanager
def opened_folder(folder: Path | str) -> Iterator[int]:
    """A descriptor of the folder itself. Raises `OSError` for a link or anything else in its place."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield place
    finally:
        os.close(place)


def move_folder(source: Path, target: Path) -> None:
    """Move a delivery whole, reading nothing of it when both are on one disk; an earlier `target` is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.move(source, target)


def remove_folder(folder: Path, inbox: Path) -> None:
    """Remove a delivery that was taken in, and the dataset's folder when it became empty.

    The producer's stays: who may reach it is set there. The manifest goes first: what a crash leaves of the folder is
    then no delivery.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    remove_emptied(folder, inbox)


def remove_emptied(folder: Path, inbox: Path) -> None:
    """Remove the folders that a delivery which is gone leaves empty, but for the producer's."""
    for parent in folder.parents:
        if parent.parent == inbox or inbox not in parent.parents:
            return
        try:
            parent.rmdir()
        except OSError:
            return


def still_arriving(found: Iterable[Dropped], pause_seconds: float = 2.0) -> set[Path]:
    """Folders of deliveries that lack something their manifest announces, and in which something changes just now.

    Looks twice, `pause_seconds` apart, and only when something is lacking: a producer's copy may bring the manifest
    before the last file. Opens nothing but manifests.
    """
    lacking = {dropped.folder: _contents(dropped.folder) for dropped in found if _lacks_something(dropped.folder)}
    if not lacking:
        return set()
    time.sleep(pause_seconds)
    return {folder for folder, before in lacking.items() if _contents(folder) != before}


def _lacks_something(folder: Path) -> bool:
    try:
        announced = json.loads(read_manifest(folder) or b"")["files"]
        sizes = {file["name"]: file["size"] for file in announced}
        present = {name: state[0] for name, state in _contents(folder).items()}
        return any(present.get(name, -1) < size for name, size in sizes.items())
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False


def _contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each entry."""
    try:
        with os.scandir(folder) as entries:
            states = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except OSError:
        return {}
    return {name: (state.st_size, state.st_mtime_ns) for name, state in states}


def _folders(path: Path | str, *, links: bool = False) -> Iterator[str]:
    """Folders in a folder; with `links`, links too, which are answered and never followed, wherever they lead."""
    try:
        with os.scandir(path) as entries:
            yield from [entry.path for entry in entries if _is_folder(entry, links)]
    except OSError as error:
        if error.errno in _EXHAUSTED:
            raise


def _is_folder(entry: os.DirEntry[str], links: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False) or (links and entry.is_symlink())
    except OSError:
        return False


def _look(folder: str, datasets: Collection[str]) -> Dropped | None:
    try:
        is_link = os.path.islink(folder)  # noqa: PTH114 - ten thousand of them
        changed = os.lstat(folder if is_link else f"{folder}/{MANIFEST}").st_mtime
        content = read_manifest(folder)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except OSError as error:
        if error.errno in _EXHAUSTED:
            raise
        # the disk fails: taking the delivery in says so
        changed, content = 0.0, None
    above, period = os.path.split(folder)
    above, dataset = os.path.split(above)
    return Dropped(
        folder=Path(folder),
        producer=_legible(os.path.basename(above)),  # noqa: PTH119 - ten thousand of them
        dataset=_legible(dataset),
        period=_legible(period),
        digest=hashlib.sha256(os.fsencode(folder) if content is None else content).hexdigest(),
        sealed_at=sealed_at(content) or datetime.fromtimestamp(changed, UTC),
        is_known=dataset in datasets,
    )


def _legible(name: str) -> str:
    """The name of a folder as receipts, ledger and logs can hold it: a stranger's may be no text at all."""
    return name if name.isprintable() else ascii(name)[1:-1][:_LONGEST_NAME]


def sealed_at(content: bytes | None) -> datetime | None:
    """When these bytes of a manifest say it was sealed; None when they are none, or do not say."""
    try:
        instant = datetime.fromisoformat(json.loads(content or b"")["sealed_at"])
        return instant.astimezone(UTC) if instant.utcoffset() is not None else None
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
