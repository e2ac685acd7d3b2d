"""Small files that are there whole or not at all: written beside their place, then renamed.

Not here: folders put in place whole, and files written where nobody looks for them yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from glob import escape
from pathlib import Path
from typing import IO
from uuid import uuid4


def write_atomically(path: Path, content: bytes, mode: int | None = None, *, is_durable: bool = True) -> Path:
    """Put these bytes at `path`, in place of what is there; `path`. See `replacing`."""
    with replacing(path, mode, is_durable=is_durable) as file:
        file.write(content)
    return path


@contextmanager
def replacing(path: Path, mode: int | None = None, *, is_durable: bool = True) -> Iterator[IO[bytes]]:
    """A sibling that nobody could have put there before, which takes the place of `path` unless something is raised.

    The file has that mode from the beginning, whatever the umask; without one, what the umask leaves of 0666. Its bytes
    are on the disk before it has the name: a power cut leaves the file of before or the new one, never an empty one.
    That takes milliseconds, which what is easily made again does without (`is_durable=False`). Which of the two it
    leaves, `sync` of the folder settles.
    """
    sibling = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        with open(sibling, "xb", opener=partial(os.open, mode=0o666 if mode is None else mode)) as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            if is_durable:
                os.fsync(file.fileno())
        sibling.replace(path)
    finally:
        sibling.unlink(missing_ok=True)


def unfinished(path: Path) -> list[Path]:
    """What killed writers of `path` left beside it, and others are writing."""
    return list(path.parent.glob(f".{escape(path.name)}.*.tmp"))


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
