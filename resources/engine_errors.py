"""An engine's error as something to act on. Its own text may quote a row, so that only its kind goes further."""

from __future__ import annotations

import errno
import os
import re

import duckdb

from hdh_assets.core.errors import HubError, disk_error

_DISK = {os.strerror(number): number for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)}
_FULL = ("disk is full", "Could not write all bytes")
_FAR = re.compile(r"^HTTP Error|\bHTTP (GET|HEAD|PUT|POST|DELETE)\b")
_CATALOGUE = ("disk I/O error", "cannot rollback - no transaction is active")
"""What DuckLake says when SQLite cannot use its files, or gave a write up by itself: a full disk does both."""


def engine_failure(error: duckdb.Error) -> HubError:
    """The kind of error and what to do; a disk or an object storage that refuses is told as such."""
    return outside_failure(error) or HubError(
        f"the engine stopped ({type(error).__name__})",
        remedy="check the disk space of the home and the memory_limit setting; what was due stays due",
    )


def outside_failure(error: BaseException) -> HubError | None:
    """What the engine met outside itself; None for an error that is not the engine's, or is its own."""
    return storage_failure(str(error)) if isinstance(error, duckdb.Error) else None


def storage_failure(text: str) -> HubError | None:
    """What an engine's text says of what the lake is kept in, and nothing else of it; None when it says nothing."""
    if _FAR.search(text):
        return HubError(
            "the object storage of the lake did not answer, or refused",
            remedy="check lake_data, and in the hub's environment DUCKDB_S3_ENDPOINT, AWS_REGION and AWS_ACCESS_KEY_ID",
        )
    if "Unable to connect to Postgres" in text:
        return HubError(
            "the lake's catalogue in PostgreSQL does not answer",
            remedy="start PostgreSQL, or correct lake_catalog; nothing is lost, and what was due stays due",
        )
    if "Transaction conflict" in text:
        return HubError(
            "another process changed the same tables first; nothing of this one was written",
            remedy="run it again; a running hub does so by itself",
        )
    if any(words in text for words in _CATALOGUE):
        return HubError(
            "the disk refused the lake's catalogue its files, as a full one does",
            remedy="free space in the home; nothing is lost, and what was due stays due",
        )
    full = errno.ENOSPC if any(words in text for words in _FULL) else None
    number = next((number for words, number in _DISK.items() if words in text), full)
    return disk_error(OSError(number, os.strerror(number))) if number is not None else None
