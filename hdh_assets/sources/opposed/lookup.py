"""From an identifier that only the vault knows (a NIR) to the pseudonyms the lake knows the same person by.

A person may object with an identifier that never enters the lake. The identities that deliveries left in the vault have
both; they are read in memory, some rows at a time, and compared by pseudonym.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.opposition import Opposition, PersonKey, canonical, looked_up, shared_types
from resources.pseudonyms import Pseudonymiser
from resources.vault import ChunkReader, Vault

Keys = dict[int, set[PersonKey]]


def in_vault(
    vault: Vault, pseudonymiser: Pseudonymiser, datasets: Mapping[str, Dataset], entries: Iterable[Opposition]
) -> Keys:
    """Keys of these oppositions according to every identity kept of any delivery."""
    found, shared = Keys(), shared_types(list(datasets.values()))
    for dataset in datasets.values():
        for table in dataset.tables:
            folder = vault.identities(dataset.id, table.lake_name, "any").parent
            for path in sorted(folder.glob("*.parquet")):
                _merge(found, in_file(vault, pseudonymiser, table, path, shared, entries))
    return found


def in_run(
    vault: Vault,
    pseudonymiser: Pseudonymiser,
    datasets: Mapping[str, Dataset],
    dataset: Dataset,
    run_folder: Path,
    entries: Iterable[Opposition],
) -> Keys:
    """The same, according to the identities of the delivery that is being taken in."""
    found, shared = Keys(), shared_types(list(datasets.values()))
    for table in dataset.tables:
        path = run_folder / "identities" / f"{table.lake_name}.parquet"
        if path.exists():
            _merge(found, in_file(vault, pseudonymiser, table, path, shared, entries))
    return found


def in_file(
    vault: Vault,
    pseudonymiser: Pseudonymiser,
    table: Table,
    path: Path,
    shared: Collection[str],
    entries: Iterable[Opposition],
) -> Keys:
    """The same, according to one encrypted file of identities, whose columns are those of its day.

    Kinds of identifier that persons share are not learnt: the vault has not what tells these apart.
    """
    wanted, found = _wanted(entries), Keys()
    columns = [column for column in looked_up(table) if column.identifier_type in wanted]
    if not columns:
        return found
    file = parquet.ParquetFile(pa.BufferReader(ChunkReader(vault.chunks(path)).readall()))
    present = set(file.schema_arrow.names)
    columns = [column for column in columns if column.lake_name in present]
    own: dict[str, list[str]] = {}
    for column in table.person_keys:
        if column.identifier_type not in shared and column.lake_name in present:
            own.setdefault(str(column.identifier_type), []).append(column.lake_name)
    for group in range(file.num_row_groups):
        rows = file.read_row_group(group, columns=[*chain(*own.values()), *(column.lake_name for column in columns)])
        _merge(found, _in_rows(pseudonymiser, rows, columns, own, wanted))
    return found


def _in_rows(
    pseudonymiser: Pseudonymiser,
    rows: pa.Table,
    columns: Iterable[Column],
    own: Mapping[str, Sequence[str]],
    wanted: Mapping[str, Mapping[str, set[int]]],
) -> Keys:
    """`own` are the person keys by kind, of which the first filled one is the row's person's."""
    found = Keys()
    for column in columns:
        kind = str(column.identifier_type)
        delivered = rows[column.lake_name].to_pylist()
        texts = [None if text is None else canonical(text, kind, column.kind) for text in delivered]
        digits = pseudonymiser.pseudonymise(pl.Series(texts, dtype=pl.String), kind)
        for place, number in _matches(digits, wanted[kind]):
            for own_kind, names in own.items():
                filled = (text for name in names if (text := rows[name][place].as_py()) is not None)
                if (pseudonym := next(filled, None)) is not None:
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


def _merge(found: Keys, more: Keys) -> None:
    for number, keys in more.items():
        found.setdefault(number, set()).update(keys)
