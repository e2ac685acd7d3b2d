"""Processes that do not outlive the one that started them, and what can be known of others."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_STOP_SECONDS, _ASK_AGAIN_SECONDS = 10.0, 2.0


def die_with_parent(sent: signal.Signals = signal.SIGTERM, *, parent: int | None = None) -> None:
    """Have the kernel send that signal to this process when its parent dies, even killed. Linux; elsewhere nothing.

    Called in a child, before its program or by it. `parent` is who started it: if gone already, this ends at once.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, sent)
    if parent is not None and os.getppid() != parent:
        sys.exit(128 + sent)


def end(process: subprocess.Popen[str]) -> None:
    """Interrupt the run a process of ours is in, if any, and end it; what it was doing is finished or undone later.

    Its input is closed first, so that it begins no other run. Dagster may miss a signal: it is asked again.
    """
    with suppress(BrokenPipeError):
        if process.stdin:
            process.stdin.close()
    process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + _STOP_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ASK_AGAIN_SECONDS)
        process.terminate()
    process.kill()
    process.wait()


def environment_of(pid: int) -> list[bytes]:
    """The environment a process was started with; empty when it is gone, a zombie or somebody else's."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
