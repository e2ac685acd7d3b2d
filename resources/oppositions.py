"""The book of oppositions: one encrypted file of the vault, written whole, under a lock.

It says who is kept out, so it is the trusted third party's alone. What an opposition is and which changes it allows is
`hdh_assets/core/opposition.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from hdh_assets.core.files import replacing, sync, unfinished
from hdh_assets.core.home import Home
from hdh_assets.core.opposition import RECORDED, WITHDRAWN, Book, Opposition, PersonKey, Place
from resources.keys import open_keys
from resources.registry import Registry
from resources.vault import Vault, open_vault


def book_file(home: Home) -> Path:
    """Where the book lies; absent while nobody objected."""
    return home.vault / "oppositions.book"


class OppositionBook:
    """The book of one home."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._path = book_file(vault.home)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the book alone: to change it, or to commit rows that it must not name.

        Whoever also needs the lake takes the lake first.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(_lock_path(self._path)):
            yield

    def read(self) -> Book:
        """The book as it is; an empty one when nobody objected. Raises `VaultFileError` when it was altered."""
        if not self._path.exists():
            return Book()
        content = json.loads(b"".join(self._vault.chunks(self._path)))
        return Book(content["revision"], tuple(_entry(entry) for entry in content["entries"]))

    def write(self, book: Book) -> None:
        """Replace the book, durably; the caller holds it."""
        text = json.dumps(asdict(book), default=datetime.isoformat)
        with replacing(self._path, 0o600) as place, self._vault.writer(Path(place.name)) as file:
            file.write(text.encode("utf-8"))
        sync(self._path.parent)


def remove_unfinished_books(home: Home) -> int:
    """Remove what killed writers of the book left beside it, which would outlive it; how many. No key is needed."""
    book = book_file(home)
    if not unfinished(book):
        return 0
    with FileLock(_lock_path(book)):
        left = unfinished(book)
        for part in left:
            part.unlink()
    return len(left)


def open_book(home: Home) -> OppositionBook:
    """The book of this home. Raises `KeyMaterialError` when the vault's key is not right."""
    return OppositionBook(open_vault(home, open_keys(home)))


def read_book(home: Home) -> Book:
    """The book; no key is needed while nobody objected."""
    return open_book(home).read() if book_file(home).exists() else Book()


def recorded_revision(registry: Registry) -> int:
    """The revision of the book of oppositions that the registry knows; 0 when nobody objected.

    No release and no extract is made before the lake follows it.
    """
    return max((event.said("revision", int) for event in registry.events(RECORDED, WITHDRAWN)), default=0)


def _lock_path(book: Path) -> Path:
    return book.with_suffix(".lock")


def _entry(content: dict[str, Any]) -> Opposition:
    withdrawn_at = content["withdrawn_at"]
    return Opposition(
        **content
        | {
            "recorded_at": datetime.fromisoformat(content["recorded_at"]),
            "withdrawn_at": datetime.fromisoformat(withdrawn_at) if withdrawn_at else None,
            "datasets": tuple(content["datasets"]),
            "given": tuple(PersonKey(**key) for key in content["given"]),
            "learned": tuple(PersonKey(**key) for key in content["learned"]),
            "places": tuple(Place(**place) for place in content["places"]),
        }
    )
