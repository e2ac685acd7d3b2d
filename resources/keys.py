"""Keys: created by `hdh init`, read by purpose, checked before the first byte of input.

A key is a file of 32 random bytes, mode 0600, `keys/<purpose>.v<n>.key`; beside it `<purpose>.v<n>.check` holds the
key-check value, an HMAC of the purpose, so that a wrong or swapped key is found before it is used. Keys are bytes in
memory and nothing else: never in a log, an exception, a setting or metadata.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hdh_assets.core.errors import KeyMaterialError
from hdh_assets.core.files import write_atomically
from hdh_assets.core.home import Home

KEY_BYTES = 32


class Purpose(StrEnum):
    """What a key is for; the first three belong to the trusted third party alone."""

    identity_level1 = "identity_level1"
    """k1: identifier → P1."""
    identity_level2 = "identity_level2"
    """k2: P1 → P2, the hub pseudonym."""
    vault = "vault"
    """Encrypts identities and originals."""
    project = "project"
    """Project master: hub pseudonym → project pseudonym."""


TRUSTED_THIRD_PARTY = (Purpose.identity_level1, Purpose.identity_level2, Purpose.vault)


class KeyProvider(Protocol):
    """Where keys come from: files here, a hardware or network service elsewhere."""

    def get(self, purpose: Purpose, version: int = 1) -> bytes:
        """The key. Raises `KeyMaterialError` when it is missing, empty, too short, exposed or not the expected one."""
        ...


@dataclass(frozen=True)
class FileKeys:
    """Keys in files of one folder."""

    folder: Path

    def path(self, purpose: Purpose, version: int = 1) -> Path:
        """The key's file."""
        return self.folder / f"{purpose}.v{version}.key"

    def get(self, purpose: Purpose, version: int = 1) -> bytes:
        """The key, once every check passed."""
        path = self.path(purpose, version)
        try:
            key = path.read_bytes()
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            raise KeyMaterialError(
                f"the {purpose} key (version {version}) cannot be read",
                remedy=f"restore {path} from your backup; `hdh init` creates keys only in a home that has none",
            ) from None
        if mode & 0o077:
            raise KeyMaterialError(
                f"the {purpose} key can be read by other users", remedy=f"chmod 600 {path}; consider rotating it"
            )
        if len(key) < KEY_BYTES or len(set(key)) < 8:
            raise KeyMaterialError(
                f"the {purpose} key is empty, too short or not random",
                remedy=f"restore {path} from your backup ({KEY_BYTES} random bytes)",
            )
        expected = self._check_path(purpose, version)
        if not _holds(expected, key_check_value(key, purpose)):
            raise KeyMaterialError(
                f"the {purpose} key is not the one this home was created with",
                remedy=f"restore {path} and {expected.name} from the same backup",
            )
        return key

    def create_missing(self, purposes: tuple[Purpose, ...], *, in_use: tuple[Purpose, ...] = ()) -> list[Purpose]:
        """Create version 1 of each key that has neither key nor check file; the purposes created.

        The check file comes second: a key that is not `in_use` and has none was being created when something stopped.

        Raises `KeyMaterialError`, before any is created, when one that is `in_use` is gone.
        """
        for purpose in in_use:
            if not self.path(purpose).exists():
                raise KeyMaterialError(
                    f"the {purpose} key is gone, and this home holds what was made with it",
                    remedy=f"restore {self.path(purpose)} and its .check file from your backup",
                )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        created = []
        for purpose in purposes:
            path, check = self.path(purpose), self._check_path(purpose, 1)
            if check.exists() or (path.exists() and purpose in in_use):
                continue
            if not path.exists():
                write_atomically(path, secrets.token_bytes(KEY_BYTES), 0o600)
            write_atomically(check, key_check_value(path.read_bytes(), purpose).encode("ascii"), 0o600)
            created.append(purpose)
        return created

    def _check_path(self, purpose: Purpose, version: int) -> Path:
        return self.folder / f"{purpose}.v{version}.check"


def open_keys(home: Home) -> FileKeys:
    """The key files of this home."""
    return FileKeys(home.keys)


def key_check_value(key: bytes, purpose: Purpose) -> str:
    """Hex HMAC of the purpose: tells one key from another, and from one for another purpose; gives neither."""
    return hmac.new(key, f"FR-HDH|v1|key-check|{purpose}".encode("ascii"), hashlib.sha256).hexdigest()


def derive_key(master: bytes, info: str) -> bytes:
    """A 32-byte key for one use (HKDF-SHA256), `info` naming the use."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode("utf-8")).derive(master)


def _holds(path: Path, expected: str) -> bool:
    try:
        return hmac.compare_digest(path.read_bytes().strip(), expected.encode("ascii"))
    except OSError:
        return False
