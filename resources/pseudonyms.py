"""Pseudonyms: keyed, two-stage, the same for the same identifier, useless without the keys.

P1 = HMAC-SHA256(k1, `FR-HDH|v1|<identifier type>|` + identifier), P2 = HMAC-SHA256(k2, hexadecimal P1); the hub
pseudonym is the first 128 bits of P2, as a UUID. Keys enter HMAC as their hexadecimal text (64 characters, one
block). A missing identifier has no pseudonym. Project pseudonyms belong to the extracts, matching persons to the
linkage.

Source: FOIN, the two-level scheme of the French national health data system.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl
import polars_hash
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from hdh_assets.core.errors import KeyMaterialError
from resources.keys import KEY_BYTES, KeyProvider, Purpose

DOMAIN = "FR-HDH|v1|"
_REMEMBERED = 200_000
"""Pseudonyms kept at hand in one run: the same persons come back all along a file."""
_WORTH_A_VECTOR = 400
"""From so many identifiers on, one vectorised call costs less than a call of `hmac` for each."""


@dataclass(frozen=True)
class Pseudonymiser:
    """Turns identifiers into hub pseudonyms. Holds both identity keys; shows neither."""

    key1: bytes = field(repr=False)
    key2: bytes = field(repr=False)

    def __post_init__(self) -> None:
        # the hash library accepts an empty key in silence
        if min(len(self.key1), len(self.key2)) < KEY_BYTES or self.key1 == self.key2:
            raise KeyMaterialError(
                "the identity keys are too short or equal", remedy="restore both identity keys from your backup"
            )

    def pseudonymise(self, identifiers: pl.Series, identifier_type: str) -> pl.Series:
        """Pseudonyms as 32 hexadecimal digits, in the same order; null stays null."""
        message = pl.lit(f"{DOMAIN}{identifier_type}|") + pl.col("identifier")
        stage1 = _hmac(pl.col("message"), self.key1)
        stage2 = _hmac(pl.col("message"), self.key2)
        frame = identifiers.alias("identifier").to_frame().select(message.alias("message"))
        frame = frame.select(stage1.alias("message")).select(stage2.alias("message"))
        return frame.select(pl.col("message").str.head(32)).to_series()

    def digests(self, identifiers: Sequence[str], identifier_type: str) -> list[bytes]:
        """The 16 bytes of each pseudonym: the few new ones of a batch one by one, many at once."""
        if len(identifiers) >= _WORTH_A_VECTOR:
            hashed = self.pseudonymise(pl.Series(identifiers, dtype=pl.String), identifier_type)
            return hashed.str.decode("hex").to_list()
        key1, key2, prefix = self.key1.hex().encode(), self.key2.hex().encode(), f"{DOMAIN}{identifier_type}|"
        stage1 = (hmac.digest(key1, (prefix + identifier).encode(), "sha256").hex() for identifier in identifiers)
        return [hmac.digest(key2, message.encode(), "sha256")[:16] for message in stage1]


class RunPseudonyms:
    """The pseudonyms of one run: each is made once and remembered, in memory alone."""

    def __init__(self, pseudonymiser: Pseudonymiser) -> None:
        self._pseudonymiser = pseudonymiser
        self._memory: dict[str, dict[str, bytes]] = {}
        self._offered: dict[str, int] = {}

    def register(self, engine: duckdb.DuckDBPyConnection, function: str, columns: Mapping[str, str]) -> None:
        """Give `engine` a function from a struct of texts to a struct of UUIDs; no key enters SQL.

        `columns` maps each field to its identifier type.
        """
        for identifier_type in columns.values():
            self._memory.setdefault(identifier_type, {})
        engine.create_function(
            function,
            self._vectorised(columns),
            [duckdb.struct_type(dict.fromkeys(columns, "VARCHAR"))],
            duckdb.struct_type(dict.fromkeys(columns, "UUID")),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )

    def offer(self, engine: duckdb.DuckDBPyConnection) -> None:
        """Give `engine` what is remembered of each identifier type, as the table `known_pseudonyms` names.

        The persons of a delivery are in most of its files: a join finds them again, where the function would be called.
        """
        for identifier_type, known in self._memory.items():
            if self._offered.get(identifier_type) != len(known):
                self._offered[identifier_type] = len(known)
                columns = [pa.array(list(known), pa.string()), _uuids(list(known.values()))]
                engine.register(known_pseudonyms(identifier_type), pa.table(columns, ["_identifier", "_pseudonym"]))

    def _vectorised(self, columns: Mapping[str, str]) -> Callable[[Any], Any]:
        alike: dict[str, list[str]] = {}
        for name, identifier_type in columns.items():
            alike.setdefault(identifier_type, []).append(name)

        def of_batch(rows: Any) -> Any:
            texts: Any = rows.combine_chunks() if isinstance(rows, pa.ChunkedArray) else rows
            made: dict[str, Any] = {}
            for identifier_type, names in alike.items():
                fields = [texts.field(name) for name in names]
                uuids = self._column(fields[0] if len(fields) == 1 else pa.concat_arrays(fields), identifier_type)
                made |= {name: uuids.slice(place * len(texts), len(texts)) for place, name in enumerate(names)}
            return pa.StructArray.from_arrays([made[name] for name in columns], names=list(columns))

        return of_batch

    def _column(self, texts: Any, identifier_type: str) -> Any:
        """UUIDs of one batch: each identifier is hashed once, and remembered for the batches to come."""
        encoded = texts.dictionary_encode()
        identifiers = encoded.dictionary.to_pylist()
        known = self._memory[identifier_type]
        if not all(map(known.get, identifiers)):
            known = self._learn(identifiers, identifier_type)
        return _uuids(list(map(known.__getitem__, identifiers)), encoded.indices)

    def _learn(self, identifiers: list[str], identifier_type: str) -> dict[str, bytes]:
        """What is remembered of the type, with these identifiers."""
        known = self._memory[identifier_type]
        new = [identifier for identifier in identifiers if identifier not in known]
        if len(known) + len(new) > _REMEMBERED:
            # a fresh one, never emptied: other threads of the engine may be looking things up in the old one
            known = self._memory[identifier_type] = {}
            new = identifiers
        known.update(zip(new, self._pseudonymiser.digests(new, identifier_type), strict=True))
        return known


def known_pseudonyms(identifier_type: str) -> str:
    """The engine's table of remembered pseudonyms: texts in `_identifier`, `_pseudonym` beside, one row for each."""
    return f"known_{identifier_type}"


def open_pseudonymiser(keys: KeyProvider) -> Pseudonymiser:
    """The pseudonymiser of these keys. Raises `KeyMaterialError` before anything is read when a key is not right."""
    return Pseudonymiser(keys.get(Purpose.identity_level1), keys.get(Purpose.identity_level2))


def _hmac(expression: pl.Expr, key: bytes) -> pl.Expr:
    keyed: pl.Expr = polars_hash.CryptographicHashingNameSpace(expression).hmac_sha256(key=key.hex())
    return keyed


def _uuids(digests: Sequence[bytes], indices: Any = None) -> Any:
    """The digests as UUIDs; with `indices`, the one that each says."""
    stored: Any = pa.Array.from_buffers(pa.binary(16), len(digests), [None, pa.py_buffer(b"".join(digests))])
    return pa.ExtensionArray.from_storage(pa.uuid(), stored if indices is None else stored.take(indices))
