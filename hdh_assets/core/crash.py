"""Named points where a test may kill the process, to prove that a crash at any instant loses nothing.

A test-only seam: without the variable `HDH_CRASH_AT` each point costs one dictionary look-up and does nothing.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "HDH_CRASH_AT"


def crash_point(name: str) -> None:
    """Kill this process as `kill -9` would, when `HDH_CRASH_AT` names this point."""
    if os.environ.get(VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
