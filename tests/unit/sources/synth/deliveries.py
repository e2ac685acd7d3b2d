"""Helpers of these tests: generating small deliveries and reading them as any reader of the dialect would."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.sql_text import literal
from hdh_assets.sources.intake.row_rules import checks, function_name, pseudonymised, values_sql
from hdh_assets.sources.synth.generate import generate
from resources.pseudonyms import known_pseudonyms

DATASETS = load_datasets()


def made(
    out: Path, *ids: str, persons: int = 120, first: str = "2024-03", last: str = "2024-03", seed: int = 7
) -> list[Path]:
    """Deliveries of the package's datasets."""
    return generate(DATASETS, ids, persons=persons, first=first, last=last, seed=seed, out=out)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def opened(folder: Path, dataset: Dataset) -> duckdb.DuckDBPyConnection:
    """A connection with a view per table of the delivery, every column as text under its lower-case name."""
    con = duckdb.connect()
    form = dataset.format
    delimiter, quote = literal(form.delimiter), literal(form.quote or "")
    for table in dataset.tables:
        texts = []
        for path in sorted(folder.iterdir()):
            if path.stem == table.name or path.stem.startswith(f"{table.name}_0"):
                text = folder.parent / f"{path.stem}.utf8"
                text.write_bytes(path.read_bytes().decode(form.encoding).encode())
                texts.append(str(text))
        columns = ", ".join(f"'{column.lake_name}': 'VARCHAR'" for column in table.columns)
        con.execute(
            f"CREATE TABLE {table.lake_name} AS SELECT * FROM read_csv({texts}, columns = {{{columns}}}, "
            f"header = true, auto_detect = false, delim = {delimiter}, quote = {quote}, "
            f"escape = {quote}, strict_mode = true)"
        )
    return con


def one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """The single number a query gives."""
    (value,) = con.execute(query).fetchone() or (0,)
    return int(value)


def broken(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> dict[str, int]:
    """How many rows of `opened` tables break each rule on rows, by table, rule and column; those that some break."""
    found = {}
    for table in dataset.tables:
        present = {column.lake_name for column in table.columns}
        for identifier_type in set(pseudonymised(table).values()):
            known = known_pseudonyms(identifier_type)
            con.execute(f"CREATE TABLE IF NOT EXISTS {known} (_identifier VARCHAR, _pseudonym UUID)")
        con.execute(f"CREATE OR REPLACE MACRO {function_name(table)}(identifiers) AS NULL")
        values = values_sql(table, present, dataset.format, table.lake_name)
        asked = checks(table, present, dataset.format)
        counts = ", ".join(f"count(*) FILTER ({check.broken})" for check in asked)
        (row,) = con.execute(f"SELECT {counts} FROM ({values})").fetchall()
        found |= {f"{table.name} {check.rule} {check.column}": n for check, n in zip(asked, row, strict=True) if n}
    return found
