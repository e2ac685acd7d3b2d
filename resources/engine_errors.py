"""An engine's error as something to act on. Its own text may quote a row, so that only its kind goes further."""

from __future__ import annotations

import errno
import os
import re

import duckdb

from hdh_assets.core.errors import HubError, disk_error
from resources.postgres import connection_error

_DISK = {os.strerror(number): number for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)}
_FULL = ("disk is full", "Could not write all bytes")
_FAR = re.compile(r"^HTTP Error|\bHTTP (GET|HEAD|PUT|POST|DELETE)\b")
_BROKEN = ("database disk image is malformed", "file is not a database")
_LAKE_FILE = re.compile(r"((?:[^/'\"\s]+/){0,2}ducklake-[0-9a-f-]{36}(?:-delete)?\.parquet)")
LAKE_FILE_REMEDY = "put it back from a backup: the lake never changes a file, so that any later copy is right"
_NO_PARQUET = (
    "TProtocolException",
    "don't know what type",
    "Prefetch registered for bytes outside file",
    "Parquet file is likely corrupted",
    "Parquet footer length stored in file",
    "Out of buffer",
    "invalid TType",
    "Page size mismatch",
)
"""What the engine says of a damaged file without naming it."""
_CATALOGUE = ("disk I/O error", "cannot rollback - no transaction is active")
"""What DuckLake says when SQLite cannot use its files, or gave a write up by itself: a full disk does both."""


_GRANTED = re.compile(r"/([0-9.]+ [KMGT]?i?B) used\)")
_NO_SPILL = "max_temp_directory_size"
"""What the engine says has come to its limit where it may not write to the disk what the memory does not hold."""
_OF_VALUES = (duckdb.DataError, duckdb.ProgrammingError, duckdb.IntegrityError)


def engine_failure(error: duckdb.Error) -> HubError:
    """The kind of error and what to do; a disk or an object storage that refuses is told as such."""
    return outside_failure(error) or _own_failure(error)


def _own_failure(error: duckdb.Error) -> HubError:
    stopped = f"the engine stopped ({type(error).__name__})"
    if isinstance(error, duckdb.OutOfMemoryException):
        return _out_of_memory(stopped, str(error))
    if isinstance(error, _OF_VALUES):
        return HubError(
            stopped,
            remedy="neither disk nor memory is short: values are not what a query takes them for; look at what changed "
            "last in the descriptors (`type`, `tells`, keys), and run `hdh check`; what was due stays due",
        )
    return HubError(
        stopped, remedy="check the disk space of the home and the memory_limit setting; what was due stays due"
    )


def _out_of_memory(stopped: str, text: str) -> HubError:
    granted = None if _NO_SPILL in text else _GRANTED.search(text)
    limit = f"memory_limit, which gives it {granted[1]} now," if granted else "memory_limit"
    return HubError(
        f"{stopped}: it needs more memory than it may use",
        remedy=f"raise {limit} as far as the machine has memory, or lower threads, each of which takes a share: in "
        "hdh.toml, or HDH_MEMORY_LIMIT and HDH_THREADS; what was due stays due",
    )


def outside_failure(error: BaseException) -> HubError | None:
    """What the engine met outside itself; None for an error that is not the engine's, or is its own."""
    return storage_failure(str(error)) if isinstance(error, duckdb.Error) else None


def storage_failure(text: str) -> HubError | None:
    """What an engine's text says of what the lake is kept in, and nothing else of it; None when it says nothing."""
    if _FAR.search(text) and not _is_gone(text):
        return HubError(
            "the object storage of the lake did not answer, or refused",
            remedy="check lake_data, and in the hub's environment DUCKDB_S3_ENDPOINT, AWS_REGION and AWS_ACCESS_KEY_ID",
        )
    if "Unable to connect to Postgres" in text:
        return connection_error("the lake's catalogue", "lake_catalog", text)
    if "Transaction conflict" in text:
        return HubError(
            "another process changed the same tables first; nothing of this one was written",
            remedy="run it again; a running hub does so by itself",
        )
    if any(words in text for words in _CATALOGUE):
        return HubError(
            "the disk refused the lake's catalogue its files, as a full one does",
            remedy="free space in the home, or raise `ulimit -f`; nothing is lost, and what was due stays due",
        )
    if any(words in text for words in _BROKEN):
        return HubError(
            "the lake's catalogue is damaged",
            remedy="restore lake/catalog.sqlite, with its -wal and -shm, from a backup, and lake/data of that day",
        )
    full = errno.ENOSPC if any(words in text for words in _FULL) else None
    number = next((number for words, number in _DISK.items() if words in text), full)
    return disk_error(OSError(number, os.strerror(number))) if number is not None else _damage(text)


def _damage(text: str) -> HubError | None:
    named = _LAKE_FILE.search(text)
    if not named and not any(words in text for words in _NO_PARQUET):
        return None
    what = f"the lake's file {named[1]}" if named else "a file of the lake"
    state = "gone" if _is_gone(text) else "damaged"
    return HubError(f"{what} is {state}", remedy=f"{LAKE_FILE_REMEDY}; `hdh check` tells which others are gone or cut")


def _is_gone(text: str) -> bool:
    """A file of the lake that is not where it was; of a bucket that is gone its settings may be wrong instead."""
    return any(words in text for words in (os.strerror(errno.ENOENT), "NoSuchKey"))
