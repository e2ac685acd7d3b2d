"""An engine's error as something to act on. Its own text may quote a row, so that only its kind goes further."""

from __future__ import annotations

import errno
import os

import duckdb

from hdh_assets.core.errors import HubError, disk_error

_DISK = {os.strerror(number): number for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)}
_FULL = ("disk is full", "Could not write all bytes")
_CATALOGUE = ("disk I/O error", "cannot rollback - no transaction is active")
"""What DuckLake says when SQLite cannot use its files, or gave a write up by itself: a full disk does both."""


def engine_failure(error: duckdb.Error) -> HubError:
    """The kind of error and what to do; a disk that refuses is told as such."""
    return disk_failure(str(error)) or HubError(
        f"the engine stopped ({type(error).__name__})",
        remedy="check the disk space of the home and the memory_limit setting; what was due stays due",
    )


def disk_failure(text: str) -> HubError | None:
    """What an engine's text says of the disk, and nothing else of it; None when it says nothing."""
    if any(words in text for words in _CATALOGUE):
        return HubError(
            "the disk refused the lake's catalogue its files, as a full one does",
            remedy="free space in the home; nothing is lost, and what was due stays due",
        )
    full = errno.ENOSPC if any(words in text for words in _FULL) else None
    number = next((number for words, number in _DISK.items() if words in text), full)
    return disk_error(OSError(number, os.strerror(number))) if number is not None else None
