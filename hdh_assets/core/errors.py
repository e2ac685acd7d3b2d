"""The hub's exceptions.

One root, `HubError`, whose message says what failed, what was expected, what was found (never a value of a
row) and what to do. The command line prints it and exits 1 (2 for words it cannot follow), without a traceback.
"""

from __future__ import annotations

import errno
import re

_FREE, _RIGHTS = "free space on that disk", "give the hub's account the right to write there"
_REMEDIES = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: _FREE,
    errno.EFBIG: _FREE,
    errno.EROFS: "mount it for writing",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
}
_NO_PROCESS = (errno.EAGAIN, errno.ENOMEM)
_PROCESSES = (
    "free memory, raise the limit of processes and threads of the hub's account (`ulimit -u`, TasksMax of its service, "
    "pids of its container), or lower the setting threads"
)
_STOPPED_IN_A_FUNCTION = re.compile(r"executing the UDF: (KeyboardInterrupt|DagsterExecutionInterruptedError)\b")
_AGAIN = "nothing is lost, and what was due stays due"


class HubError(Exception):
    """Something the reader of the message can act on.

    `remedy` says what to do next; it is printed on a line of its own.
    """

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.remedy}" if self.remedy else self.message


def disk_error(error: OSError) -> HubError:
    """What the operating system refused, as something to act on: its words, the path, and what to do.

    Mostly it is the disk; a process or a thread that cannot be started is an `OSError` as well.
    """
    if error.errno in _NO_PROCESS and not error.filename:
        return HubError(
            f"the system would not start a process or a thread ({error.strerror})", remedy=f"{_PROCESSES}; {_AGAIN}"
        )
    path = error.filename2 or error.filename  # of a copy or a renaming, where it goes to
    where = f": {path}" if path else ""
    remedy = _REMEDIES.get(error.errno or 0, "look at the disk and at who may write there")
    return HubError(f"the disk refused ({error.strerror or type(error).__name__}){where}", remedy=f"{remedy}; {_AGAIN}")


class MisuseError(HubError):
    """The words of a command do not say what to do."""


class DescriptorError(HubError):
    """One or more descriptor files are wrong; the message lists every problem as `file:line: field: problem`."""


class ConfigurationError(HubError):
    """The hub's home or a setting is missing or wrong."""


class KeyMaterialError(HubError):
    """A key is missing, empty, too short, readable by others, or not the one this home was created with."""


class LakeBusyError(HubError):
    """Another process held the writer lock of the lake for longer than the time allowed."""


class RefusedError(HubError):
    """A demand the rules do not allow (a governance transition, a delivery, an extract); the reason is the message."""


def stop_behind(error: BaseException) -> BaseException | None:
    """The stop that led to this error, if one did: an engine stopped in a query raises `RuntimeError`.

    Stopped while it called a function of ours, it keeps the name of the stop alone, in the text it was raised with.
    What an error would write of itself is not asked for: a model's validation writes all that it was given.
    """
    behind: BaseException | None = error
    while isinstance(behind, Exception):
        if any(isinstance(said, str) and _STOPPED_IN_A_FUNCTION.search(said) for said in behind.args):
            return KeyboardInterrupt()
        behind = behind.__cause__ or behind.__context__
    return behind
