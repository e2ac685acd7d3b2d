"""From an identifier that only the vault knows (a NIR) to the pseudonyms the lake knows the same person by.

A person may object with an identifier that never enters the lake. The identities that deliveries left in the vault have
both; they are read in memory, some rows at a time, and compared by pseudonym.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.opposition import Opposition, PersonKey, canonical
from hdh_assets.sources.opposed.probes import owners
from resources.pseudonyms import Pseudonymiser
from resources.vault import ChunkReader, Vault

Keys = dict[int, set[PersonKey]]


def in_vault(
    vault: Vault, pseudonymiser: Pseudonymiser, datasets: Mapping[str, Dataset], entries: Iterable[Opposition]
) -> Keys:
    """Keys of these oppositions according to every identity kept of any delivery."""
    wanted, found = _wanted(entries), Keys()
    for dataset in datasets.values():
        for table in dataset.tables:
            folder = vault.identities(dataset.id, table.lake_name, "any").parent
            if any(_columns(table, wanted)) and folder.is_dir():
                for path in sorted(folder.glob("*.parquet")):
                    _merge(found, in_file(vault, pseudonymiser, table, path, entries))
    return found


def in_run(
    vault: Vault, pseudonymiser: Pseudonymiser, dataset: Dataset, run_folder: Path, entries: Iterable[Opposition]
) -> Keys:
    """The same, according to the identities of the delivery that is being taken in."""
    found = Keys()
    for table in dataset.tables:
        path = run_folder / "identities" / f"{table.lake_name}.parquet"
        if path.exists():
            _merge(found, in_file(vault, pseudonymiser, table, path, entries))
    return found


def in_file(
    vault: Vault, pseudonymiser: Pseudonymiser, table: Table, path: Path, entries: Iterable[Opposition]
) -> Keys:
    """The same, according to one encrypted file of identities, whose columns are those of its day."""
    wanted, found = _wanted(entries), Keys()
    if not any(_columns(table, wanted)):
        return found
    file = parquet.ParquetFile(pa.BufferReader(ChunkReader(vault.chunks(path)).readall()))
    present = set(file.schema_arrow.names)
    columns = [column for column in _columns(table, wanted) if column.lake_name in present]
    own = {column.lake_name: str(column.identifier_type) for column in _own(table) if column.lake_name in present}
    for group in range(file.num_row_groups):
        rows = file.read_row_group(group, columns=[*own, *(column.lake_name for column in columns)])
        _merge(found, _in_rows(pseudonymiser, rows, columns, own, wanted))
    return found


def _in_rows(
    pseudonymiser: Pseudonymiser,
    rows: pa.Table,
    columns: Iterable[Column],
    own: Mapping[str, str],
    wanted: Mapping[str, Mapping[str, set[int]]],
) -> Keys:
    found = Keys()
    for column in columns:
        kind = str(column.identifier_type)
        texts = [None if text is None else canonical(text, kind) for text in rows[column.lake_name].to_pylist()]
        digits = pseudonymiser.pseudonymise(pl.Series(texts, dtype=pl.String), kind)
        for place, number in _matches(digits, wanted[kind]):
            for name, own_kind in own.items():
                pseudonym = rows[name][place].as_py()
                if pseudonym is not None:
                    found.setdefault(number, set()).add(PersonKey(own_kind, pseudonym))
    return found


def _matches(digits: pl.Series, wanted: Mapping[str, set[int]]) -> Iterator[tuple[int, int]]:
    """Places of the rows that are wanted, each with the opposition that wants it."""
    for place, text in enumerate(digits.to_list()):
        for number in wanted.get(text, ()) if text else ():
            yield place, number


def _wanted(entries: Iterable[Opposition]) -> dict[str, dict[str, set[int]]]:
    """Oppositions by kind of identifier and digits of the pseudonym given."""
    wanted: dict[str, dict[str, set[int]]] = {}
    for entry in entries:
        for key in entry.given:
            digits = key.pseudonym.replace("-", "")
            wanted.setdefault(key.identifier_type, {}).setdefault(digits, set()).add(entry.number)
    return wanted


def _columns(table: Table, wanted: Mapping[str, object]) -> Iterator[Column]:
    return (column for column in table.columns if not column.is_in_lake and column.identifier_type in wanted)


def _own(table: Table) -> list[Column]:
    """The person keys that need no rank: the vault keeps none."""
    ranked = {probe.identifier_type for probe in owners(table) if probe.rank}
    return [column for column in table.person_keys if column.identifier_type not in ranked]


def _merge(found: Keys, more: Keys) -> None:
    for number, keys in more.items():
        found.setdefault(number, set()).update(keys)
