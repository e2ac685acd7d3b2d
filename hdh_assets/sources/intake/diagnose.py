"""Finding the rows a file's rules rejected: a second pass, only over files that have some.

Counts by rule and column, the first lines, and the rows themselves, encrypted, for the trusted third party's
quarantine. No value leaves but to that file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any, cast

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.sql_text import literal, quoted
from hdh_assets.sources.intake.key_gate import KeyFault
from hdh_assets.sources.intake.load import OpenFile
from hdh_assets.sources.intake.receipt import MAX_LINES, Problem, problem
from hdh_assets.sources.intake.row_rules import Check, valid_sql, value_name
from resources.lake_tables import table_sql
from resources.vault import EncryptedWriter

REJECTED = "rejected"
"""Folder of the rejected rows of a delivery, in the run's folder and then in quarantine."""
_FAULTY = "faulty_key"
_LEFT_OUT = "left_out"
"""Lines of each file whose rows broke a key and were rejected for it, in the engine's memory."""
_BATCH_ROWS = 64
"""Rows the engine gives at a time: each may have two megabytes."""
_GROUP_ROWS = 10_000
_GROUP_BYTES = 16 * 1024 * 1024


@dataclass
class Rejects:
    """What was rejected in one file: how many rows, and per rule how many and the first lines."""

    rows: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    lines: dict[int, list[int]] = field(default_factory=dict)

    def problems(self, file: str, checks: list[Check]) -> list[Problem]:
        """One problem per rule and column, in the order of the descriptor."""
        return [
            problem(
                checks[number].rule,
                file=file,
                lines=self.lines[number],
                column=checks[number].column,
                count=self.counts[number],
                expected=checks[number].expected,
                expected_fr=checks[number].expected_fr,
            )
            for number in sorted(self.counts)
        ]


def find_rejects(engine: duckdb.DuckDBPyConnection, opened: OpenFile, quarantine: EncryptedWriter) -> Rejects:
    """Read the file again and set its rejected rows aside in `quarantine`, an encrypted Parquet file."""
    found = Rejects()
    checks = opened.checks
    with opened.feed() as feed:
        for group in _rejected(engine, opened, feed.path, checks, quarantine):
            found.rows += group.num_rows
            _count(found, group.column("_line"), group.column("_broken").combine_chunks())
    return found


def begin_keys(engine: duckdb.DuckDBPyConnection) -> None:
    """Before the keys of a delivery are judged: no row of it is rejected for one yet."""
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {_LEFT_OUT} (file VARCHAR, line BIGINT)")


def rows_by_file(engine: duckdb.DuckDBPyConnection, dataset: Dataset, fault: KeyFault) -> dict[str, int]:
    """How many rows of each file break a key. To be asked before the rows are taken out of the lake.

    Their keys are kept in the engine's memory for `lines_of` and `set_aside`: looking for them again in the whole table
    for each of many parts would take hours.
    """
    names = ", ".join(quoted(name.lower()) for name in fault.columns)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {_FAULTY} AS SELECT _file, hash({names}) AS key, count(*) AS faulty "
        f"FROM {table_sql(dataset, fault.table)} WHERE {fault.where} GROUP BY ALL"
    )
    return dict(engine.execute(f"SELECT _file, sum(faulty)::BIGINT FROM {_FAULTY} GROUP BY ALL").fetchall())


def lines_of(engine: duckdb.DuckDBPyConnection, opened: OpenFile, fault: KeyFault) -> list[int]:
    """The first lines of a file whose rows break a key, after `rows_by_file`."""
    with opened.feed() as feed:
        rows = engine.execute(f"{_faulty_sql(opened, feed.path, fault, '')} LIMIT {MAX_LINES}").fetchall()
    return [line for (line,) in rows]


def set_aside(
    engine: duckdb.DuckDBPyConnection, opened: OpenFile, fault: KeyFault, quarantine: EncryptedWriter
) -> list[int]:
    """Put the rows of a file that break a key in `quarantine`, an encrypted Parquet file: line, rule and texts.

    Their first lines come back. After `rows_by_file`; faults that come later do not find these rows again.
    """
    rule = literal(f"{fault.rule} {', '.join(fault.columns)}")
    columns = f", {rule} AS _rules, {_delivered(opened)}"
    lines: list[int] = []
    with opened.feed() as feed:
        batches = engine.execute(_faulty_sql(opened, feed.path, fault, columns)).fetch_record_batch(_BATCH_ROWS)
        with parquet.ParquetWriter(cast("IO[bytes]", quarantine), batches.schema, compression="zstd") as writer:
            for group in _grouped(batches):
                writer.write_table(group)
                lines += np.asarray(group["_line"]).tolist()
    quarantine.close()
    engine.register("now_left_out", pa.table({"line": pa.array(lines, pa.int64())}))
    engine.execute(f"INSERT INTO {_LEFT_OUT} SELECT {literal(opened.plan.file.name)}, line FROM now_left_out")
    engine.unregister("now_left_out")
    return lines[:MAX_LINES]


def _faulty_sql(opened: OpenFile, path: str, fault: KeyFault, columns: str) -> str:
    """Lines, and these columns, of the rows of a file that the lake has and whose key is the fault's, in order."""
    keys = [opened.plan.table.by_name[name.lower()] for name in fault.columns]
    values = ", ".join(value_name(column, opened.plan.table, opened.plan.dialect) for column in keys)
    file = literal(opened.plan.file.name)
    faulty = f"SELECT key FROM {_FAULTY} WHERE _file = {file}"
    left_out = f"SELECT line FROM {_LEFT_OUT} WHERE file = {file}"
    return (
        f"SELECT _line::BIGINT AS _line{columns} FROM ({_valued(opened, path)}) WHERE ({valid_sql(opened.checks)}) "
        f"AND hash({values}) IN ({faulty}) AND _line::BIGINT NOT IN ({left_out}) ORDER BY _line"
    )


def numbered_sql(opened: OpenFile, path: str) -> str:
    """The rows of a file in order, as text, with `_line`: the line of the file where each begins.

    To number them the engine reads with one thread, from the beginning to the end.
    """
    reader = opened.reader_sql(path)
    if not opened.plan.dialect.quote:
        return f"SELECT row_number() OVER () + 1 AS _line, * FROM {reader}"
    feeds = " + ".join(
        f"coalesce(length({quoted(c.lake_name)}) - length(replace({quoted(c.lake_name)}, chr(10), '')), 0)"
        for c in opened.header.columns
    )
    return (
        f"SELECT row_number() OVER () + 1 + sum(_feeds) OVER (ROWS UNBOUNDED PRECEDING) - _feeds AS _line, "
        f"* EXCLUDE (_feeds) FROM (SELECT *, {feeds} AS _feeds FROM {reader})"
    )


def _valued(opened: OpenFile, path: str) -> str:
    return opened.values_sql(f"({numbered_sql(opened, path)})")


def _delivered(opened: OpenFile) -> str:
    """The texts of a file under its producer's names."""
    return ", ".join(f"{quoted(column.lake_name)} AS {quoted(column.name)}" for column in opened.header.columns)


def _rejected(
    engine: duckdb.DuckDBPyConnection, opened: OpenFile, path: str, checks: list[Check], quarantine: EncryptedWriter
) -> Iterator[pa.Table]:
    """Groups of line, rules and texts as `quarantine` keeps them, with the numbers of the rules as `_broken`."""
    broken = ", ".join(f"CASE WHEN {check.broken} THEN {number} END" for number, check in enumerate(checks))
    rules = ", ".join(literal(f"{check.rule} {check.column}") for check in checks)
    engine.execute("SET preserve_insertion_order = true")
    result = engine.execute(
        f"SELECT list_filter([{broken}], lambda n: n IS NOT NULL)::INTEGER[] AS _broken, _line::BIGINT AS _line, "
        f"array_to_string(list_transform(_broken, lambda n: [{rules}][n + 1]), '; ') AS _rules, "
        f"{_delivered(opened)} "
        f"FROM ({_valued(opened, path)}) WHERE NOT ({valid_sql(checks)})"
    )
    batches = result.fetch_record_batch(_BATCH_ROWS)
    kept = batches.schema.remove(batches.schema.get_field_index("_broken"))
    with parquet.ParquetWriter(cast("IO[bytes]", quarantine), kept, compression="zstd") as writer:
        for group in _grouped(batches):
            writer.write_table(group.drop_columns(["_broken"]))
            yield group
    quarantine.close()
    engine.execute("SET preserve_insertion_order = false")


def _grouped(batches: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """The same rows, as many together as are worth a row group and no more than memory has room for."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.Table.from_batches(waiting)


def _count(found: Rejects, lines: Any, rules: Any) -> None:
    numbers = np.asarray(rules.flatten())
    places = np.repeat(np.asarray(lines), np.asarray(rules.value_lengths()))
    for number in np.unique(numbers).tolist():
        concerned = places[numbers == number]
        found.counts[number] = found.counts.get(number, 0) + len(concerned)
        known = found.lines.setdefault(number, [])
        known += concerned[: MAX_LINES - len(known)].tolist()
