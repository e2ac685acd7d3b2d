"""A project's own pseudonyms and record numbers: keyed, the same in all its versions, of no use in another project.

Persons: HMAC-SHA256 of the hub's person number under `HKDF(project master, project/<id>/v<key version>)` (the key as
its hexadecimal text, as for hub pseudonyms), cut to 128 bits. Records: AES-128 of the record's number under a second
derived key, which unlike HMAC costs little on hundreds of millions of rows; a UUID is one block, so that two never
collide, and a 63-bit number keeps 63 bits of its block. ADR 0005 tells why.
"""

from __future__ import annotations

from collections.abc import Sequence
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


class ProjectKeys:
    """The derived keys of one project. Raises `KeyMaterialError` when the master key is not usable."""

    def __init__(self, provider: KeyProvider, project: str) -> None:
        master = provider.get(Purpose.project, KEY_VERSION)
        info = f"project/{project}/v{KEY_VERSION}"
        self._person = derive_key(master, info)
        self._record = derive_key(master, f"{info}/records")[:16]

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

    def numbers(self, arrays: Sequence[Any]) -> list[Any]:
        """The project's numbers for arrays of 64-bit numbers of one length; null stays null."""
        if not arrays:
            return []
        length = len(arrays[0])
        blocks = np.empty((len(arrays) * length, 2), dtype="<i8")
        blocks[:, 0] = np.concatenate([_values(array) for array in arrays])
        blocks[:, 1] = _NUMBER_BLOCK
        encrypted = np.frombuffer(self._encrypt(blocks.tobytes()), dtype="<u8")[::2] >> 1
        rows = encrypted.astype("<i8").reshape(len(arrays), length)
        return [_with_validity(array, row) for array, row in zip(arrays, rows, strict=True)]

    def blob(self, array: Any) -> Any:
        """The project's blocks for an array of 16-byte blocks; null stays null."""
        # blocks are stored back to back, nulls taking no room: they are replaced in place
        validity, offsets, data = array.buffers()
        if data is None:
            return array
        used = data.to_pybytes()[: data.size // 16 * 16]
        return pa.Array.from_buffers(
            array.type, len(array), [validity, offsets, pa.py_buffer(self._encrypt(used))], offset=array.offset
        )

    def _encrypt(self, blocks: bytes) -> bytes:
        # ECB keeps no state between blocks: each is a number or a key by itself
        encryptor = Cipher(algorithms.AES(self._record), modes.ECB()).encryptor()  # noqa: S305
        return encryptor.update(blocks)


def _values(array: Any) -> NDArray[np.int64]:
    """The stored numbers; what stands at a null means nothing."""
    stored: NDArray[np.int64] = np.frombuffer(array.buffers()[1], dtype="<i8")
    return stored[array.offset : array.offset + len(array)]


def _with_validity(array: Any, values: NDArray[np.int64]) -> Any:
    if array.null_count == 0:
        return pa.array(values)
    return pa.array(values, mask=array.is_null().to_numpy(zero_copy_only=False))
