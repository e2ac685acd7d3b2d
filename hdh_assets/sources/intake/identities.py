"""Direct identifiers on their way to the vault: kept with the pseudonyms of their row, in the same pass as the rows.

The engine calls the keeper with each batch; it writes the valid rows that hold an identity to one encrypted
Parquet file and gives the verdict back unchanged. Nothing of it reaches the lake.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO, Any, cast

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType
from pyarrow import parquet

from hdh_assets.core.descriptor import Table
from hdh_assets.core.sql_text import quoted
from resources.vault import Vault

_ROWS_PER_GROUP = 50_000


class IdentityKeeper:
    """Writes the identities of one table of one delivery. Columns: the table's pseudonyms, then its direct identifiers.

    All are text; a pseudonym is a UUID's text. Close it once every file of the table is loaded.
    """

    def __init__(self, vault: Vault, table: Table, path: Path) -> None:
        self._pseudonyms = [c.lake_name for c in table.columns if c.is_pseudonymised]
        self._identifiers = [c.lake_name for c in table.columns if not c.is_in_lake]
        self._schema = pa.schema([(name, pa.string()) for name in (*self._pseudonyms, *self._identifiers)])
        self._name = f"keep_identities_{table.lake_name}"
        self._lock = threading.Lock()
        self._batches: list[pa.RecordBatch] = []
        self._waiting = 0
        self._file = vault.writer(path)
        self._writer = parquet.ParquetWriter(cast("IO[bytes]", self._file), self._schema, compression="zstd")
        self.rows = 0

    def register(self, engine: duckdb.DuckDBPyConnection) -> None:
        """Give `engine` the function that `call_sql` calls."""
        engine.create_function(
            self._name,
            self._keep,
            ["BOOLEAN", duckdb.struct_type(dict.fromkeys(self._schema.names, "VARCHAR"))],
            "BOOLEAN",
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
            side_effects=True,
        )

    def call_sql(self) -> str:
        """The call, over columns of those names: true for a row that is valid, which is then kept.

        Most rows of some tables tell no identity: the function is not called for those.
        """
        row = ", ".join(f"{quoted(name)} := {quoted(name)}::VARCHAR" for name in self._schema.names)
        has_identity = " OR ".join(f"{quoted(name)} IS NOT NULL" for name in self._identifiers)
        return f"CASE WHEN {has_identity} THEN {self._name}(_is_valid, struct_pack({row})) ELSE _is_valid END"

    def close(self) -> None:
        """Write what waits and make the file whole."""
        self._flush()
        self._writer.close()
        self._file.close()

    def abandon(self) -> None:
        """Drop the file: the delivery was refused or the run failed."""
        self._file.abandon()

    def _keep(self, is_valid: Any, rows: Any) -> Any:
        verdict, texts = _array(is_valid), _array(rows)
        batch = pa.RecordBatch.from_struct_array(texts)
        kept = batch.filter(verdict)
        with self._lock:
            self._batches.append(kept)
            self._waiting += kept.num_rows
            self.rows += kept.num_rows
            if self._waiting >= _ROWS_PER_GROUP:
                self._flush()
        return verdict

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._batches, self._schema))
        self._batches, self._waiting = [], 0


def _array(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
