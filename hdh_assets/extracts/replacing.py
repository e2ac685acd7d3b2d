"""Rows on their way into an extract, their record keys replaced a hundred thousand rows at a time.

A function registered with the engine would be called for two thousand rows, and each call costs more than the cipher.
So the rows leave the engine as a stream of batches, have their keys replaced, and come back as a table it can sort.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from hdh_assets.extracts.project_keys import ProjectKeys
from hdh_assets.extracts.selection import Selection

ROWS_AT_ONCE = 122_880
_NAME = "selected_rows"


@contextmanager
def replaced_rows(engine: duckdb.DuckDBPyConnection, selection: Selection, keys: ProjectKeys) -> Iterator[str]:
    """What to select the rows from, once, for as long as the block lasts."""
    if not selection.has_keys:
        yield f"({selection.rows})"
        return
    with engine.cursor() as reader:
        rows = reader.execute(selection.rows).to_arrow_reader(ROWS_AT_ONCE)
        engine.register(_NAME, pa.RecordBatchReader.from_batches(rows.schema, _replaced(rows, selection, keys)))
        try:
            yield _NAME
        finally:
            engine.unregister(_NAME)


def _replaced(rows: pa.RecordBatchReader, selection: Selection, keys: ProjectKeys) -> Iterator[pa.RecordBatch]:
    for batch in rows:
        columns = batch.columns
        for position in selection.numbers:
            columns[position] = keys.number(columns[position])
        for position in selection.texts:
            columns[position] = keys.blob(columns[position])
        yield pa.RecordBatch.from_arrays(columns, schema=rows.schema)
