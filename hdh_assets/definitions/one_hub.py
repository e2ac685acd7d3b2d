"""One hub on one home: a lock held for as long as `hdh up` or `hdh tick` runs, and what a dead one left behind.

The lock is the kernel's, so it ends with its holder however that one dies. Processes of a stack carry `HDH_STACK` in
their environment: once the lock is held, any of them is a leftover. No Dagster here.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home
from hdh_assets.core.processes import environment_of

STACK = "HDH_STACK"
_HOLDER = "hub.json"
_GRACE_SECONDS = 5.0


class HubRunsError(HubError):
    """Another hub runs on this home."""


@contextmanager
def the_only_hub(home: Home, command: str) -> Iterator[None]:
    """Hold the home's lock; leftovers of a dead stack are ended first. Raises `HubRunsError` saying who holds it."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.dagster / "hub.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise HubRunsError(
            f"a hub already runs on {home.root}: {_describe(home.dagster / _HOLDER)}",
            remedy="wait for it to end, stop it with Ctrl-C, or work with it: a running hub does what `hdh tick` does",
        ) from None
    try:
        end_leftovers(home)
        holder = {"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        (home.dagster / _HOLDER).write_text(json.dumps(holder), "utf-8")
        yield
    finally:
        (home.dagster / _HOLDER).unlink(missing_ok=True)
        lock.release()


def end_leftovers(home: Home) -> int:
    """End processes a dead stack of this home left, politely, then not; how many there were."""
    left = stack_processes(home)
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for pid in stack_processes(home):
            _signal(pid, sent)
        deadline = time.monotonic() + _GRACE_SECONDS
        while stack_processes(home) and time.monotonic() < deadline:
            time.sleep(0.1)
    return len(left)


def stack_processes(home: Home) -> list[int]:
    """Processes started by a stack of this home, this one excepted."""
    mark = f"{STACK}={home.root}".encode()
    found = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in found if pid != os.getpid() and mark in environment_of(pid)]


def _describe(path: Path) -> str:
    try:
        holder = json.loads(path.read_text("utf-8"))
        return f"{holder['command']}, process {holder['pid']}, since {holder['since']}"
    except (OSError, ValueError, KeyError):
        return "it is just starting"


def _signal(pid: int, sent: signal.Signals) -> None:
    try:
        os.kill(pid, sent)
    except ProcessLookupError:
        return
