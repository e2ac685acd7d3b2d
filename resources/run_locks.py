"""Runs of Dagster that a command works on in its own process: a lock for each, held for as long as it does.

The kernel ends a lock with its holder, and tells it in every container that has the home. A process number tells
nothing there: each container counts its own from one, so that the next command has the number of the one that died.
No Dagster here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hdh_assets.core.home import Home


@contextmanager
def working_on(home: Home, run_id: str) -> Iterator[None]:
    """Hold the lock of a run: taken before the run is made, left when its end is written."""
    path = _path(home, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def is_worked_on(home: Home, run_id: str) -> bool | None:
    """Whether somebody holds the run's lock; None where it has none: it is over, or another process's."""
    return is_held(_path(home, run_id))


def is_held(lock: Path) -> bool | None:
    """Whether a process holds the lock of that file; None where there is no file."""
    if not lock.exists():
        return None
    try:
        FileLock(lock).acquire(timeout=0).lock.release()
    except Timeout:
        return True
    return False


def forget_lock(home: Home, run_id: str) -> None:
    """Remove what a killed process left."""
    _path(home, run_id).unlink(missing_ok=True)


def _path(home: Home, run_id: str) -> Path:
    return home.dagster / "working" / f"{run_id}.lock"
