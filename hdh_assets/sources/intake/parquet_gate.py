"""The gate of Parquet: a child process reads the file, strictly and within limits, and hands it over as text.

Readers of Parquet crash on hostile files or read corrupt ones in silence. So the file is opened only in a process that
may die: a signal, an abort, too much memory or time is a refused delivery, never a failed run. The text then passes
the same gates as any other. What the child does is in `parquet_child.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import IO

from hdh_assets.core.column import Column, spelled
from hdh_assets.sources.intake.parquet_child import NO_TEXT, TOO_COSTLY
from hdh_assets.sources.intake.receipt import DeliveryRefusedError, refuse

MEMORY_BYTES = 2 * 1024**3
"""Address space of the child, libraries included."""
SECONDS_PER_MIB = 2
SECONDS_AT_LEAST = 60
_BLOCK = 1024 * 1024
_EXPANSIONS = 10
"""A column of one value takes no room in Parquet: more is allowed than of gzip."""
_ALLOWANCE = 16 * 1024 * 1024
_MAGIC = b"PAR1"
_LONGEST_TOLD = 4096


def parquet_text(
    blocks: Iterator[bytes], size: int, folder: Path, file: str, columns: Mapping[str, Column], max_expansion: int
) -> Iterator[bytes]:
    """The file as comma-separated UTF-8 with a header line. Raises `DeliveryRefusedError`.

    `folder` takes a clear copy without a name, which disappears with this process, however it ends. `columns` are those
    declared, by each of their names as `spelled`. `max_expansion` bounds a compressed file.
    """
    copy = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        for block in blocks:
            _write_whole(copy, block)
        if os.pread(copy, len(_MAGIC), 0) != _MAGIC:
            # the reader in the child looks at the end of the file alone
            raise refuse("parquet_damaged", file=file)
        seconds = SECONDS_AT_LEAST + SECONDS_PER_MIB * size // 1024**2
        times = max_expansion * _EXPANSIONS
        code = yield from _read_in_child(copy, seconds, size * times + _ALLOWANCE)
        if code == NO_TEXT:
            raise _no_text(copy, file, columns)
        if code:
            raise _refusal(code, seconds, times, file)
    finally:
        os.close(copy)


def _read_in_child(copy: int, seconds: int, allowed: int) -> Generator[bytes, None, int]:
    """What the child writes, at most `allowed` bytes; its exit code at the end."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "hdh_assets.sources.intake.parquet_child",
        str(copy),
        str(MEMORY_BYTES),
        str(seconds),
    ]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HDH_")} | {
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "OMP_NUM_THREADS": "1",
    }
    child = subprocess.Popen(
        command,
        pass_fds=[copy],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    try:
        assert child.stdout is not None  # noqa: S101 - PIPE was asked for
        while block := _within(seconds, child, child.stdout):
            allowed -= len(block)
            if allowed < 0:
                return TOO_COSTLY
            yield block
        return child.wait()
    finally:
        child.kill()
        child.wait()


def _within(seconds: int, child: subprocess.Popen[bytes], output: IO[bytes]) -> bytes:
    """The next block; a child that gives none for so long is ended. Its own limit is on work, not on waiting for us."""
    clock = threading.Timer(seconds, child.kill)
    clock.start()
    try:
        return output.read(_BLOCK)
    finally:
        clock.cancel()


def _write_whole(descriptor: int, block: bytes) -> None:
    """Every byte: near the end of a disk a write takes some, and says nothing."""
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]


def _refusal(code: int, seconds: int, times: int, file: str) -> DeliveryRefusedError:
    if code == TOO_COSTLY or -code in {9, 24}:
        gib = MEMORY_BYTES // 1024**3
        expected = f"{gib} GiB, {seconds} s and {times} times its size as text"
        expected_fr = f"{gib} Gio, {seconds} s et {times} fois sa taille en texte"
        return refuse("parquet_too_costly", file=file, expected=expected, expected_fr=expected_fr)
    return refuse("parquet_damaged", file=file)


def _no_text(copy: int, file: str, columns: Mapping[str, Column]) -> DeliveryRefusedError:
    """The refusal of the column that the child tells. One that is not declared is told by its position alone."""
    try:
        position, name = json.loads(os.pread(copy, _LONGEST_TOLD, 0))
        position, declared = int(position), columns.get(spelled(name))
    except (ValueError, TypeError, AttributeError):
        # whatever a hostile file made of the child
        return refuse("parquet_damaged", file=file)
    return refuse("column_type", file=file, column=declared and declared.name, position=position)
