"""An engine's error as something to act on. Its own text may quote a row, so that only its kind goes further."""

from __future__ import annotations

import errno
import os

import duckdb

from hdh_assets.core.errors import HubError, disk_error

_DISK = {os.strerror(number): number for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)}
_FULL = ("disk is full", "Could not write all bytes")


def engine_failure(error: duckdb.Error) -> HubError:
    """The kind of error and what to do; a disk that refuses is told as such."""
    text = str(error)
    number = next((number for words, number in _DISK.items() if words in text), None)
    if number is None and any(words in text for words in _FULL):
        number = errno.ENOSPC
    if number is not None:
        return disk_error(OSError(number, os.strerror(number)))
    return HubError(
        f"the engine stopped ({type(error).__name__})",
        remedy="check the disk space of the home and the memory_limit setting; what was due stays due",
    )
