"""Feeding the engine: clean text goes through a pipe, from a thread that runs the gates, to the engine's reader.

The engine reads, casts and loads while the gates still read, hash and keep the file: one pass, no clear copy on disk.
A pipe holds a megabyte; 48 more before it let the gates work ahead while the engine is busy with what it has.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import duckdb

from hdh_assets.core.errors import HubError
from hdh_assets.sources.intake.receipt import refuse
from hdh_assets.sources.intake.text_structure import MAX_LINE_BYTES
from resources.engine_errors import engine_failure

_PIPE_BYTES = 1024 * 1024
_BYTES_AHEAD = 48 * 1024 * 1024
"""Less, and one of two cores waits; in bytes, since a block has from a line to four megabytes."""
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_KINDS = (
    ("Expected Number of Columns", "ragged_row"),
    ("Maximum line size", "line_too_long"),
)


class _Ahead:
    """Blocks on their way from one thread to another, waiting for room once they hold `limit` bytes; None is the end.

    A block larger than the limit passes alone.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._blocks: deque[bytes | None] = deque()
        self._changed = threading.Condition()

    def put(self, block: bytes | None) -> None:
        size = len(block or b"")
        with self._changed:
            self._changed.wait_for(lambda: not self._bytes or self._bytes + size <= self._limit)
            self._blocks.append(block)
            self._bytes += size
            self._changed.notify()

    def get(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._blocks)
            block = self._blocks.popleft()
            self._bytes -= len(block or b"")
            self._changed.notify()
        return block


class Feed:
    """A pipe the engine reads as a file at `path`; leaving the block waits for the gates and raises what they found.

    The gates always run to the end of the file, even when the engine stops early: its digest counts too.
    What the engine itself refuses becomes a `DeliveryRefusedError` without its text, which would hold a value. The
    engine never saw the `records_before` these blocks: the header line at least.
    """

    def __init__(self, blocks: Iterator[bytes], file: str, columns: int, *, records_before: int = 1) -> None:
        self._blocks = blocks
        self._file = file
        self._columns = columns
        self._records_before = records_before
        self._error: BaseException | None = None
        self._reader, self._writer = os.pipe()
        with suppress(OSError):  # the system's limit may be lower; a small pipe only costs more switches
            fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._ahead = _Ahead(_BYTES_AHEAD)
        self._threads = [
            threading.Thread(target=run, name=f"{what} of {file}", daemon=True)
            for what, run in (("gates", self._run_gates), ("pipe", self._fill_pipe))
        ]

    @property
    def path(self) -> str:
        """What the engine opens, once."""
        return f"/dev/fd/{self._reader}"

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._reader)
        for thread in self._threads:
            thread.join()
        if self._error is not None:
            # the gates' finding is the cause; what the engine made of a cut stream is not
            raise self._error from None
        if isinstance(error, duckdb.Error):
            raise self._refusal(error) from None

    def _run_gates(self) -> None:
        try:
            for block in self._blocks:
                self._ahead.put(block)
        except BaseException as error:
            self._error = error
        finally:
            self._ahead.put(None)

    def _fill_pipe(self) -> None:
        # the engine drops a byte-order mark where its text begins; given one, it keeps what the first row begins with
        is_read = self._write(codecs.BOM_UTF8)
        while (block := self._ahead.get()) is not None:
            is_read = is_read and self._write(block)
        os.close(self._writer)

    def _write(self, block: bytes) -> bool:
        view = memoryview(block)
        try:
            while view:
                view = view[os.write(self._writer, view) :]
        except BrokenPipeError:
            return False
        return True

    def _refusal(self, error: duckdb.Error) -> HubError:
        text = str(error)
        if not isinstance(error, duckdb.InvalidInputException) or "CSV" not in text:
            return engine_failure(error)
        rule = next((rule for words, rule in _KINDS if words in text), "unreadable_text")
        expected = MAX_LINE_BYTES if rule == "line_too_long" else self._columns
        found = _LINE.search(text)
        line = int(found[1]) + self._records_before if found else None
        return refuse(rule, file=self._file, line=line, expected=expected)
