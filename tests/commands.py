"""Commands of `hdh` run in the test's own process: a process for each would take a second to import the hub."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from unittest.mock import patch

from hdh_assets.cli.main import main

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def hdh(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """The exit code, what is printed and what is told of a command that is typed with these arguments."""
    printed, told, handlers = StringIO(), StringIO(), [signal.getsignal(sent) for sent in _SIGNALS]
    with (
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", ["hdh", *arguments]),
        redirect_stdout(printed),
        redirect_stderr(told),
    ):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            for sent, handler in zip(_SIGNALS, handlers, strict=True):
                signal.signal(sent, handler)
    return code, printed.getvalue(), told.getvalue()
