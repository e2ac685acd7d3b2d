"""Digests: of files, and as people are shown them and folders and tags are named after them."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def short(digest: str) -> str:
    """The first twelve digits: enough to tell one delivery or event of a hub from every other."""
    return digest[:12]
