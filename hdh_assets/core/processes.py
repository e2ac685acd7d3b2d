"""Processes that do not outlive the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1


def die_with_parent(sent: signal.Signals = signal.SIGTERM, *, parent: int | None = None) -> None:
    """Have the kernel send that signal to this process when its parent dies, even killed. Linux; elsewhere nothing.

    Called in a child, before its program or by it. `parent` is who started it: if gone already, this ends at once.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, sent)
    if parent is not None and os.getppid() != parent:
        sys.exit(128 + sent)
