"""The settings that tests run under, whatever the environment of whoever runs them holds."""

from __future__ import annotations

import os
import urllib.request

import pytest
from hypothesis import settings

THREADS = "HDH_THREADS"
ask_here = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
"""`urlopen` for servers of this machine, whatever proxy the environment names."""


def one_thread() -> None:
    """Give every engine of this process and its children one thread.

    Most tests ask many small questions, several processes at once: a second thread costs each question a third more
    processor than it saves. Tests about threads say how many, and those of the whole hub use the default.
    """
    os.environ[THREADS] = "1"


def no_deadline() -> None:
    """Let an example of a property take as long as it takes: on a busy machine any may take longer than a fifth of a
    second, and says nothing about the property. `timeout` ends what hangs.
    """
    settings.register_profile("hub", deadline=None)
    settings.load_profile("hub")


def forget_settings(patch: pytest.MonkeyPatch, *, and_threads: bool = False) -> None:
    """Take every setting but that one out of the environment for as long as the patch holds."""
    for name in [name for name in os.environ if name.startswith("HDH_")]:
        if and_threads or name != THREADS:
            patch.delenv(name)
