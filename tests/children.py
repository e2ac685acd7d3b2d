"""Processes that a test may kill. Each is a fork of a server that has imported the hub and opened nothing.

To start Python and import the hub for each takes longer than most of what they do before they die.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from typing import Any

from hdh_assets.core.crash import VARIABLE

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    ["pytest", "hypothesis.stateful", "hdh_assets.extracts.opposed", "hdh_assets.sources.intake.run"]
)


def begin(work: Callable[..., object], *arguments: Any) -> BaseProcess:
    """Do it in a process of its own, in the environment of this moment."""
    child = _server.Process(target=_do, args=(dict(os.environ), work, arguments))
    child.start()
    return child


def exit_code(work: Callable[..., object], *arguments: Any, seconds: float = 120) -> int | None:
    """Do it in a process of its own; how that ended. None when it did not in time; it is killed then."""
    child = begin(work, *arguments)
    child.join(seconds)
    ended = child.exitcode
    child.kill()
    return ended


def die(point: str, work: Callable[..., object], *arguments: Any) -> None:
    """Do it in a process that is killed at that point. The test fails when it is not."""
    assert exit_code(up_to, point, work, *arguments) == -signal.SIGKILL, point


def up_to(point: str, work: Callable[..., object], *arguments: Any) -> None:
    """Do it, in a process that is killed where the hub passes that point."""
    os.environ[VARIABLE] = point
    work(*arguments)


def _do(environment: Mapping[str, str], work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    work(*arguments)
