"""Loading one file: one statement reads the text, converts, checks and inserts the rows that obey every rule.

How many rows it inserted tells whether any was rejected; finding which belongs to `diagnose.py`. The rows that hold
direct identifiers pass by `identities.py` on their way. The caller holds the transaction.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from uuid import UUID

import duckdb

from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.dialect import Format
from hdh_assets.core.errors import HubError
from hdh_assets.core.sql_text import literal, quoted
from hdh_assets.sources.intake.byte_gate import check_text, decode, decompress, whole_lines
from hdh_assets.sources.intake.feed import Feed
from hdh_assets.sources.intake.header_gate import Header, check_header, spellings, split_header
from hdh_assets.sources.intake.identities import IdentityKeeper
from hdh_assets.sources.intake.manifest import ManifestFile, is_gzip
from hdh_assets.sources.intake.origin import Origin
from hdh_assets.sources.intake.parquet_gate import parquet_text
from hdh_assets.sources.intake.receipt import refuse
from hdh_assets.sources.intake.row_rules import Check, checks, valid_sql, value_name, values_sql
from hdh_assets.sources.intake.text_structure import MARK, MAX_LINE_BYTES, TextCounts, marked_letters
from resources.lake_tables import table_sql


@dataclass(frozen=True)
class FilePlan:
    """One file of a delivery and what it becomes."""

    dataset: Dataset
    table: Table
    file: ManifestFile
    delivery: UUID
    period: str
    max_expansion: int

    @property
    def dialect(self) -> Format:
        """How the text that reaches the engine is written: Parquet comes as plain quoted text."""
        form = self.dataset.format
        return Format(kind="parquet", timestamp=form.timestamp, date=form.date) if form.kind == "parquet" else form


@dataclass(frozen=True)
class OpenFile:
    """A file whose header passed: its columns, and the clean text after the header."""

    plan: FilePlan
    header: Header
    blocks: Iterator[bytes]
    counts: TextCounts

    @property
    def checks(self) -> list[Check]:
        """The rules on its rows."""
        return checks(self.plan.table, self.header.names, self.plan.dialect)

    def values_sql(self, source: str) -> str:
        """A query over its texts that adds their values."""
        return values_sql(self.plan.table, self.header.names, self.plan.dialect, source)

    def feed(self) -> Feed:
        """The pipe to the engine."""
        return Feed(self.blocks, self.plan.file.name, len(self.header.columns))

    def two_feeds(self) -> Iterator[tuple[Feed, bool]]:
        """A pipe for the blocks before the first that has a mark, then one for the rest if any; whether it has marks.

        To look for marks in every field would cost an export without any a twentieth of its time.
        """
        marked: list[bytes] = []
        yield Feed(_until_marked(self.blocks, marked), self.plan.file.name, len(self.header.columns)), False
        if marked:
            before = self.counts.records - marked[0].count(b"\n")
            rest = chain(marked, self.blocks)
            yield Feed(rest, self.plan.file.name, len(self.header.columns), records_before=before), True

    def reader_sql(self, path: str, *, is_marked: bool = True) -> str:
        """The engine's reader of the text: every column as text, nothing guessed, nothing forgiven.

        Not `is_marked`: nothing stands for something else in it, and nothing is looked for.
        """
        dialect = self.plan.dialect
        columns = ", ".join(f"{literal(c.lake_name)}: 'VARCHAR'" for c in self.header.columns)
        reader = (
            f"read_csv({literal(path)}, columns = {{{columns}}}, auto_detect = false, header = false, "
            f"strict_mode = true, new_line = '\\n', delim = {literal(dialect.delimiter)}, quote = '', escape = '', "
            f"null_padding = false, ignore_errors = false, max_line_size = {MAX_LINE_BYTES}, "
            # otherwise the engine gathers 2,048 rows, however long, before it gives any
            "parallel = true)"
        )
        if not (dialect.quote and is_marked):
            return reader
        return f"(SELECT {', '.join(_unmarked(column, dialect) for column in self.header.columns)} FROM {reader})"


@contextmanager
def streaming(engine: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep the engine from taking a file, whose size a pipe does not tell, for the small side of a join.

    Nothing is put back when a statement fails: its transaction is over, and the engine with it.
    """
    engine.execute("SET disabled_optimizers = 'build_side_probe_side'")
    yield
    engine.execute("RESET disabled_optimizers")


def open_file(plan: FilePlan, origin: Origin, folder: Path) -> OpenFile:
    """Pass the gates of bytes and header as far as the first line. Raises `DeliveryRefusedError`.

    `folder` is the run's own, in the vault.
    """
    name = plan.file.name
    counts = TextCounts()
    text = whole_lines(_text(plan, origin, folder, counts), name, counts)
    blocks = check_text(text, plan.dialect, name, counts)
    names, rest = split_header(blocks, plan.dialect, name)
    return OpenFile(plan, check_header(names, plan.table, plan.dialect, name), rest, counts)


def load_file(engine: duckdb.DuckDBPyConnection, opened: OpenFile, keeper: IdentityKeeper | None) -> int:
    """Insert the rows that obey every rule; how many. Raises `DeliveryRefusedError` for the file as a whole."""
    inserted = 0
    try:
        for pipe, is_marked in opened.two_feeds():
            with pipe as feed:
                statement = insert_sql(opened, opened.reader_sql(feed.path, is_marked=is_marked), keeper)
                inserted += int((engine.execute(statement).fetchone() or (0,))[0])
    except HubError:
        # whatever stopped the engine, the gates go on to the end of the file: what they find there comes first
        deque(opened.blocks, maxlen=0)
        raise
    check_counts(opened)
    return inserted


def _until_marked(blocks: Iterator[bytes], marked: list[bytes]) -> Iterator[bytes]:
    """The blocks before the first that has a mark, which goes to `marked`."""
    for block in blocks:
        if MARK in block:
            marked.append(block)
            return
        yield block


def insert_sql(opened: OpenFile, reader: str, keeper: IdentityKeeper | None) -> str:
    """The one statement that loads what the reader gives of a file."""
    plan = opened.plan
    columns = [quoted(column.lake_name) for column in plan.table.lake_columns]
    values = ", ".join(f"{_value(column, opened)} AS {quoted(column.lake_name)}" for column in plan.table.lake_columns)
    texts = "".join(f", {text}" for text in _identifiers(opened)) if keeper else ""
    # random() keeps the optimiser from evaluating every conversion twice, once for the filter and once for the rows
    is_valid = f"{valid_sql(opened.checks)} AND random() >= 0 AS _is_valid"
    inner = f"SELECT {values}{texts}, {is_valid} FROM ({opened.values_sql(reader)})"
    kept = keeper.call_sql() if keeper else "_is_valid"
    return (
        f"INSERT INTO {table_sql(plan.dataset, plan.table)} ({', '.join(columns)}, _delivery, _period, _file) "
        f"SELECT {', '.join(columns)}, '{plan.delivery}'::UUID, {literal(plan.period)}, {literal(plan.file.name)} "
        f"FROM ({inner}) WHERE {kept}"
    )


def check_counts(opened: OpenFile) -> None:
    """Compare what the pass counted with the manifest. Raises `DeliveryRefusedError`."""
    file, counts = opened.plan.file, opened.counts
    rows = counts.records - 1
    if rows != file.rows:
        raise refuse("wrong_rows", file=file.name, expected=file.rows, found=rows)


def _text(plan: FilePlan, origin: Origin, folder: Path, counts: TextCounts) -> Iterator[bytes]:
    blocks = origin.blocks(plan.file)
    if plan.dialect.kind == "parquet":
        text = parquet_text(blocks, plan.file.size, folder, plan.file.name, spellings(plan.table), plan.max_expansion)
        return decode(text, "utf-8", plan.file.name, counts)
    if is_gzip(plan.file.name):
        blocks = decompress(blocks, plan.file.size, plan.max_expansion, plan.file.name)
    return decode(blocks, plan.dataset.format.encoding, plan.file.name, counts)


def _value(column: Column, opened: OpenFile) -> str:
    if column.lake_name not in opened.header.names:
        return f"NULL::{column.duckdb_type}"
    return value_name(column, opened.plan.table, opened.plan.dialect)


def _unmarked(column: Column, dialect: Format) -> str:
    """The text of the column with the bytes that stood within its quotes."""
    name = quoted(column.lake_name)
    text = name
    for letter, byte in marked_letters(dialect.delimiter).items():
        text = f"replace({text}, chr(0) || {literal(letter)}, chr({ord(byte)}))"
    return f"CASE WHEN contains({name}, chr(0)) THEN {text} ELSE {name} END AS {name}"


def _identifiers(opened: OpenFile) -> list[str]:
    """The direct identifiers of the table, null where the file lacks one."""
    names = [(c.lake_name, quoted(c.lake_name)) for c in opened.plan.table.columns if not c.is_in_lake]
    return [name if plain in opened.header.names else f"NULL::VARCHAR AS {name}" for plain, name in names]
