"""The vault: encrypted originals and identities, and the run-scoped folders where clear data may pass.

Only the trusted third party opens it. Files are chunks, compressed where it pays and then encrypted
(AES-256-GCM), so that any size is written and read in bounded memory and a cut or reordered file is refused. What is
put in it is the intake's business.
"""

from __future__ import annotations

import io
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from filelock import FileLock, Timeout

from hdh_assets.core.errors import HubError, LakeBusyError
from hdh_assets.core.home import Home
from resources.keys import KeyProvider, Purpose, derive_key
from resources.run_folders import is_alive, remove_dead, run_folder

CHUNK_BYTES = 128 * 1024
"""Larger buffers are given back to the system after each use, and clearing new ones costs more than the cipher."""
DATASET_WAIT_SECONDS = 3600
_MAGIC = b"HDHV2\0"
_SALT_BYTES = 16
_HEAD = struct.Struct(">II")
"""Bytes stored, with the mark of the last chunk, and bytes once clear."""
_LAST = 1 << 31
_TAG_BYTES = 16
_SETTLED_BYTES = 32 * 1024 * 1024
"""What a file being written may keep of the system's memory: fresh memory for all of it costs more than the cipher."""
_WORTH_IT = 4
"""A file whose first chunk does not shrink so many times is kept as it is: packing it costs more than writing it."""


class VaultFileError(HubError):
    """An encrypted file is cut, altered, or was written under another key."""


class EncryptedWriter(io.RawIOBase):
    """A write-only file whose bytes reach the disk encrypted, one authenticated chunk at a time.

    Each file has its own key, derived from the vault key and a random salt, so a chunk's number is its nonce.
    The last chunk is marked: a file cut at a chunk's end does not pass for a whole one.
    """

    def __init__(self, file: IO[bytes], key: bytes) -> None:
        super().__init__()
        salt = secrets.token_bytes(_SALT_BYTES)
        self._cipher = _cipher(key, salt)
        self._codec: Any = _codec()
        self._file = file
        self._buffer = bytearray()
        self._number = 0
        self._unsettled = 0
        file.write(_MAGIC + salt)

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes; whole chunks are encrypted at once."""
        view = memoryview(data).cast("B")
        rest = view
        while rest:
            # a full chunk is kept back: only the next write tells whether it is the last
            if len(self._buffer) == CHUNK_BYTES:
                self._emit(self._buffer, last=False)
                self._buffer = bytearray()
            room = CHUNK_BYTES - len(self._buffer)
            self._buffer += rest[:room]
            rest = rest[room:]
        return len(view)

    def close(self) -> None:
        """Write the last chunk and flush to disk."""
        if self.closed:
            return
        self._emit(self._buffer, last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        super().close()

    def abandon(self) -> None:
        """Close without the last chunk: the file will not be readable."""
        if not self.closed:
            self._file.close()
            super().close()

    def _emit(self, chunk: bytearray, *, last: bool) -> None:
        packed = self._packed(chunk)
        head = _HEAD.pack(len(packed) | (_LAST if last else 0), len(chunk))
        sealed = self._cipher.encrypt(_nonce(self._number), packed, head)
        self._file.write(head)
        self._file.write(sealed)
        self._number += 1
        self._unsettled += len(sealed)
        if self._unsettled > _SETTLED_BYTES:
            self._settle()

    def _settle(self) -> None:
        """Bring what was written to the disk and give its memory back: nobody reads it soon."""
        self._file.flush()
        os.fdatasync(self._file.fileno())
        os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self._unsettled = 0

    def _packed(self, chunk: bytearray) -> bytes | bytearray:
        """The chunk compressed, or itself: the same length tells the reader so."""
        packed = chunk if self._codec is None else self._codec.compress(chunk, asbytes=True)
        if self._number == 0 and len(packed) * _WORTH_IT > len(chunk):
            self._codec = None
        return packed if self._codec is not None and len(packed) < len(chunk) else chunk


def read_chunks(path: Path, key: bytes) -> Iterator[bytes]:
    """The clear bytes of an encrypted file, chunk by chunk. Raises `VaultFileError`."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise _unreadable(path)
        cipher, codec = _cipher(key, file.read(_SALT_BYTES)), _codec()
        last, number = False, 0
        while not last:
            head = file.read(_HEAD.size)
            if len(head) != _HEAD.size:
                raise _unreadable(path)
            length, clear = _HEAD.unpack(head)
            last = bool(length & _LAST)
            try:
                packed = cipher.decrypt(_nonce(number), file.read((length & ~_LAST) + _TAG_BYTES), head)
            except (InvalidTag, ValueError):
                raise _unreadable(path) from None
            yield packed if len(packed) == clear else codec.decompress(packed, decompressed_size=clear, asbytes=True)
            number += 1
        if file.read(1):
            raise _unreadable(path)


@dataclass(frozen=True)
class Vault:
    """The vault of one home, opened with its key."""

    home: Home
    key: bytes

    def writer(self, path: Path) -> EncryptedWriter:
        """An encrypted file at `path`; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return EncryptedWriter(path.open("wb"), self.key)

    def chunks(self, path: Path) -> Iterator[bytes]:
        """The clear bytes of the encrypted file at `path`."""
        return read_chunks(path, self.key)

    def original(self, dataset: str, period: str, digest: str) -> Path:
        """Folder of the encrypted files of one delivery, as the producer sent them, and its manifest."""
        return self.home.vault / "originals" / dataset / period / digest

    def identities(self, dataset: str, table: str, delivery: str) -> Path:
        """Encrypted Parquet: one row per delivered row that holds an identity, with its pseudonyms."""
        return self.home.vault / "identities" / dataset / table / f"{delivery}.parquet"

    def run_folder(self, name: str) -> AbstractContextManager[Path]:
        """A folder of mode 0700 for one run, removed when the run ends, however it ends but by `kill -9`."""
        return run_folder(self.home.vault / "tmp" / name)

    @contextmanager
    def dataset_lock(self, dataset: str, wait_seconds: float = DATASET_WAIT_SECONDS) -> Iterator[None]:
        """Hold the right to load this dataset: one process at a time, whatever the lake's catalogue allows.

        Raises `LakeBusyError` when another process keeps it for longer than `wait_seconds`.
        """
        folder = self.home.vault / "locks"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(folder / f"{dataset}.lock", timeout=wait_seconds)
        try:
            lock.acquire()
        except Timeout:
            raise LakeBusyError(
                f"another process has been loading {dataset} for over {wait_seconds:.0f} s",
                remedy="wait for the run in progress; the delivery stays due",
            ) from None
        try:
            yield
        finally:
            lock.release()


def open_vault(home: Home, keys: KeyProvider) -> Vault:
    """The vault of this home. Raises `KeyMaterialError` when its key is not right."""
    return Vault(home, keys.get(Purpose.vault))


def original_folders(home: Home, dataset: str) -> list[Path]:
    """Folders of the encrypted originals of a dataset, `<period>/<digest>`; none where the vault cannot be read."""
    try:
        return sorted((home.vault / "originals" / dataset).glob("*/*"))
    except PermissionError:
        return []


def new_run_folder_name() -> str:
    """A name no other run has."""
    return uuid4().hex


def is_run_alive(home: Home, name: str) -> bool:
    """Whether the process of that run folder still holds its lock."""
    return is_alive(home.vault / "tmp" / name)


def remove_dead_run_folders(home: Home) -> list[str]:
    """Remove what killed runs left in the vault; the names of their folders."""
    removed, _ = remove_dead((home.vault / "tmp").glob("*"))
    return [folder.name for folder in removed]


class ChunkReader(io.RawIOBase):
    """A read-only file over an iterator of byte chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with what the next chunk holds; 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def __enter__(self) -> Self:
        return self


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(derive_key(key, f"vault-file/{salt.hex()}"))


def _codec() -> Any:
    """Fast, and most text delivered as CSV takes an eighth of its room."""
    import pyarrow as pa  # noqa: PLC0415 - a tenth of a second, for those alone who read or write

    return pa.Codec("zstd", compression_level=1)


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _unreadable(path: Path) -> VaultFileError:
    anew = "; of a delivery in force, `hdh backfill` makes them anew" if "identities" in path.parts else ""
    return VaultFileError(
        f"{path} is cut, altered, or was encrypted under another key",
        remedy=f"restore the vault and its key from the same backup{anew}",
    )
