"""A project's own pseudonyms and record numbers: keyed, the same in all its versions, of no use in another project.

Persons: HMAC-SHA256 of the hub's person number under `HKDF(project master, project/<id>/v<key version>)` (the key as
its hexadecimal text, as for hub pseudonyms), cut to 128 bits. Records: AES-128 of the record's number under a second
derived key, which unlike HMAC costs little on hundreds of millions of rows; a UUID is one block, so that two never
collide, and a 63-bit number keeps 63 bits of its block. ADR 0005 tells why.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import polars_hash
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from resources.keys import KeyProvider, Purpose, derive_key

KEY_VERSION = 1
"""Version of the project master key: re-keying the hub's projects changes it, a new extract does not."""
_NUMBER_BLOCK = 0x4844_482D_4E55_4D31  # fills the other half of a number's block
_SLACK = 15  # the cipher asks for room for one block less a byte beyond what it writes


class ProjectKeys:
    """The derived keys of one project. Raises `KeyMaterialError` when the master key is not usable."""

    def __init__(self, provider: KeyProvider, project: str) -> None:
        master = provider.get(Purpose.project, KEY_VERSION)
        info = f"project/{project}/v{KEY_VERSION}"
        self._person = derive_key(master, info)
        # ECB keeps no state between blocks: each is a number or a key by itself
        record = derive_key(master, f"{info}/records")[:16]
        self._cipher = Cipher(algorithms.AES(record), modes.ECB())  # noqa: S305
        self._blocks: NDArray[np.int64] = np.empty((0, 2), dtype="<i8")
        self._encrypted: NDArray[np.uint8] = np.empty(0, dtype="u1")

    def pseudonyms(self, persons: pl.Series) -> pl.DataFrame:
        """Project pseudonyms of hub person numbers: one row per input, in order.

        Columns `hub` (BIGINT), `number` (first 63 bits), `pseudonym` (128 bits as UUID text).
        """
        message = polars_hash.CryptographicHashingNameSpace(pl.col("hub").cast(pl.String))
        keyed: pl.Expr = message.hmac_sha256(key=self._person.hex())
        digest = persons.alias("hub").to_frame().select(keyed.alias("digest"))["digest"]
        head = digest.str.slice(0, 16)
        high = head.str.slice(0, 8).str.to_integer(base=16, dtype=pl.Int64)
        low = head.str.slice(8, 8).str.to_integer(base=16, dtype=pl.Int64)
        number = high * (1 << 31) + low // 2
        groups = [digest.str.slice(start, length) for start, length in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))]
        text = pl.select(pl.concat_str(groups, separator="-")).to_series()
        return pl.DataFrame({"hub": persons, "number": number, "pseudonym": text})

    def number(self, array: Any) -> Any:
        """The project's numbers for an array of 64-bit numbers; null stays null. Not for two threads at once."""
        if not len(array):
            return array
        blocks, encrypted = self._room_for(len(array))
        blocks[:, 0] = _values(array)
        self._cipher.encryptor().update_into(blocks.data.cast("B"), encrypted.data)
        numbers: NDArray[np.int64] = (encrypted[: blocks.nbytes].view("<u8")[::2] >> 1).view("<i8")
        nulls = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
        return pa.array(numbers, mask=nulls)

    def _room_for(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Blocks to fill, and bytes to encrypt them into, the same at every call.

        Fresh buffers of megabytes are cleared by the system each time, which costs five times the cipher.
        """
        if len(self._blocks) < count:
            self._blocks = np.full((count, 2), _NUMBER_BLOCK, dtype="<i8")
            self._encrypted = np.empty(self._blocks.nbytes + _SLACK, dtype="u1")
        return self._blocks[:count], self._encrypted

    def blob(self, array: Any) -> Any:
        """The project's blocks for an array of 16-byte blocks; null stays null."""
        # blocks are stored back to back, nulls taking no room: they are replaced in place
        validity, offsets, data = array.buffers()
        if data is None:
            return array
        encrypted = self._cipher.encryptor().update(memoryview(data).cast("B")[: data.size // 16 * 16])
        buffers = [validity, offsets, pa.py_buffer(encrypted)]
        return pa.Array.from_buffers(array.type, len(array), buffers, offset=array.offset)


def _values(array: Any) -> NDArray[np.int64]:
    """The stored numbers; what stands at a null means nothing."""
    stored: NDArray[np.int64] = np.frombuffer(array.buffers()[1], dtype="<i8")
    return stored[array.offset : array.offset + len(array)]
