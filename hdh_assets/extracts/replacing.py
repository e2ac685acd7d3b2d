"""Rows on their way into an extract, their record keys replaced a hundred thousand rows at a time; fewer long ones.

A function registered with the engine would be called for two thousand rows, and each call costs more than the cipher.
So the rows leave the engine as a stream of batches, have their keys replaced, and come back as a table it can sort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.sql_text import quoted
from hdh_assets.extracts.plan import TablePlan
from hdh_assets.extracts.project_keys import ProjectKeys
from hdh_assets.extracts.selection import Selection

ROWS_AT_ONCE = 122_880
_BYTES_AT_ONCE = 64 << 20
_SHORT = _BYTES_AT_ONCE // ROWS_AT_ONCE
"""Characters up to which the length of a text is no matter."""
_NAME = "selected_rows"


def rows_at_once(engine: duckdb.DuckDBPyConnection, plan: TablePlan, datasets: Mapping[str, Dataset]) -> int:
    """How many rows of a table to hold together, at least one: fewer where the delivered texts are long.

    By their mean over the whole table, so that it is the same each time. Texts of the CDM are short.
    """
    if plan.is_omop:
        return ROWS_AT_ONCE
    described = datasets[plan.table.schema].by_name[plan.table.name].by_name
    columns = [described[column.name] for column in plan.columns]
    names = [c.lake_name for c in columns if c.kind == "string" and (c.length is None or c.length > _SHORT)]
    if not names:
        return ROWS_AT_ONCE
    width = " + ".join(f"coalesce(strlen({quoted(name)}), 0)" for name in names)
    found = engine.execute(f"SELECT avg({width}) FROM {plan.table.sql}").fetchall()
    return min(ROWS_AT_ONCE, max(1, int(_BYTES_AT_ONCE / (found[0][0] or 1))))


@contextmanager
def replaced_rows(
    engine: duckdb.DuckDBPyConnection, selection: Selection, keys: ProjectKeys, at_once: int
) -> Iterator[str]:
    """What to select the rows from, once, for as long as the block lasts; `at_once` of them are held together."""
    if not selection.has_keys:
        yield f"({selection.rows})"
        return
    with engine.cursor() as reader:
        rows = reader.execute(selection.rows).to_arrow_reader(at_once)
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
