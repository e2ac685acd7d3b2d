"""Folders that one process fills alone, where clear data may pass: a lock beside each tells whether it is at work.

The kernel ends a lock with its holder: what a killed process left is told from what another is filling.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from resources.run_locks import is_held


@contextmanager
def run_folder(folder: Path) -> Iterator[Path]:
    """Make the folder, of mode 0700, and remove it in the end, unless it was moved; only `kill -9` leaves it."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(_lock_path(folder))
    lock.acquire()
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        _lock_path(folder).unlink(missing_ok=True)


def is_alive(folder: Path) -> bool:
    """Whether the process of that folder still holds its lock."""
    return is_held(_lock_path(folder)) is True


def remove_dead(entries: Iterable[Path]) -> tuple[list[Path], dict[Path, OSError]]:
    """Remove what killed processes left of these folders and locks.

    The folders removed, and those that cannot be, with why. A lock alone is left by a kill just before its folder was
    made, or just after it went.
    """
    removed, stay = [], {}
    found = sorted(entries)
    for folder in (path for path in found if path.suffix != _SUFFIX and path.is_dir()):
        try:
            if not is_alive(folder):
                shutil.rmtree(folder)
                removed.append(folder)
        except OSError as error:
            stay[folder] = error
    for lock in (path for path in found if path.suffix == _SUFFIX):
        _remove_alone(lock)
    return removed, stay


_SUFFIX = ".lock"


def _lock_path(folder: Path) -> Path:
    return folder.with_name(folder.name + _SUFFIX)


def _remove_alone(lock: Path) -> None:
    """Remove a lock without a folder, holding it: who opened it meanwhile sees that it is gone, and makes another."""
    try:
        with FileLock(lock, timeout=0):
            if not lock.with_suffix("").is_dir():
                lock.unlink(missing_ok=True)
    except (Timeout, OSError):
        return
