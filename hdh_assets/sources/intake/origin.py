"""Where the bytes of a delivery come from: the inbox the first time, the vault's encrypted originals ever after.

The producer's bytes are read once; that one pass also hashes them and keeps them encrypted, so no clear copy exists
on disk and nobody can change a file between two looks. What the bytes mean is judged by the gates.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hdh_assets.core.crash import crash_point
from hdh_assets.sources.intake.admission import is_plain
from hdh_assets.sources.intake.manifest import ManifestFile
from hdh_assets.sources.intake.receipt import refuse
from resources.inbox import open_within
from resources.vault import Vault

_BLOCK = 128 * 1024
"""Small enough for the processor's cache, and for memory to be used again: see the vault's chunks."""


class Origin(Protocol):
    """Gives the bytes of a delivery's files, as the producer sent them."""

    def blocks(self, file: ManifestFile) -> Iterator[bytes]:
        """The file, block by block. Raises `DeliveryRefusedError` when it is not what the manifest says."""
        ...


@dataclass(frozen=True)
class VaultOrigin:
    """Files kept encrypted in `folder`."""

    vault: Vault
    folder: Path

    def blocks(self, file: ManifestFile) -> Iterator[bytes]:
        """The file, decrypted block by block. Raises `VaultFileError` when it was altered."""
        return self.vault.chunks(self.folder / file.name)


@dataclass(frozen=True)
class InboxOrigin:
    """Files in a producer's folder; reading one to its end keeps it encrypted in `keep`."""

    folder: Path
    vault: Vault
    keep: Path

    def blocks(self, file: ManifestFile) -> Iterator[bytes]:
        """The file, block by block; at the end its size and digest are those sealed, and its copy is whole."""
        digest, size = hashlib.sha256(), 0
        descriptor = _open_plain(self.folder, file.name)
        copy = self.vault.writer(self.keep / file.name)
        try:
            with os.fdopen(descriptor, "rb", buffering=0) as source:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    size += len(block)
                    if size > file.size:
                        raise refuse("wrong_size", file=file.name, expected=file.size, found=size)
                    copy.write(block)
                    yield block
            if size != file.size:
                raise refuse("wrong_size", file=file.name, expected=file.size, found=size)
            if digest.hexdigest() != file.sha256:
                raise refuse("wrong_digest", file=file.name)
            copy.close()
            crash_point("intake.after_copy")
        finally:
            copy.abandon()


def _open_plain(folder: Path, name: str) -> int:
    try:
        descriptor = open_within(folder, name)
    except OSError:
        raise refuse("missing_file", file=name) from None
    if not is_plain(os.fstat(descriptor)):
        os.close(descriptor)
        raise refuse("not_a_plain_file", file=name)
    return descriptor
