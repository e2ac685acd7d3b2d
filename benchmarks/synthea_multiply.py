"""Multiply a Synthea export: N copies of every patient and of all that hangs on them, in the same file layout.

The first copy keeps its ids; the others get new ones, the same in every file, derived from the old id and the number
of the copy. Hospitals, professionals and payers are not multiplied. For benchmarks: it reads one table at a time and
writes as it reads, so that its memory does not grow with N.

    python -m benchmarks.synthea_multiply EXPORT OUT --times 3704
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import duckdb

from hdh_assets.core.column import Column, Role
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.descriptor_files import load_datasets

DATASET = "hospital_ehr"

_MACROS = """
CREATE MACRO copied(id, copy) AS CASE
    WHEN copy = 0 OR id IS NULL THEN id
    WHEN length(id) = 36 THEN CAST(CAST(md5(id || '/' || copy) AS UUID) AS VARCHAR)
    ELSE id || '.' || copy END;
CREATE MACRO new_number(row_number, copies, copy, number) AS CASE
    WHEN copy = 0 OR number IS NULL THEN number
    ELSE regexp_replace(lpad((row_number * copies + copy)::VARCHAR, 9, '0'), '(...)(..)(....)', '\\1-\\2-\\3') END;
"""
_OF_HOSPITALS_AND_PAYERS = frozenset(
    {"payer", "secondary_payer", "primarypatientinsuranceid", "secondarypatientinsuranceid", "placeofservice"}
)
"""Numbers of what all copies share."""


def multiply(source: Path, out: Path, times: int, *, threads: int = 2) -> dict[str, int]:
    """Write to `out` the export of folder `source` with `times` copies of each patient; rows by file name.

    Raises `FileNotFoundError` when a file of the export is missing.
    """
    dataset = load_datasets()[DATASET]
    out.mkdir(parents=True, exist_ok=True)
    # in the order of the copies it would keep what one thread has ready before another: 20 GB at 100,000 patients
    with duckdb.connect(config={"threads": threads, "preserve_insertion_order": False, "memory_limit": "2GB"}) as con:
        con.execute(_MACROS)
        return {f"{table.name}.csv": _multiply(con, dataset, table, source, out, times) for table in dataset.tables}


def _multiply(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table, source: Path, out: Path, times: int
) -> int:
    path, target = source / f"{table.name}.csv", out / f"{table.name}.csv"
    if not path.is_file():
        raise FileNotFoundError(path)
    read = f"SELECT *, row_number() OVER () AS row_number FROM read_csv('{path}', all_varchar = true, header = true)"
    con.execute(f"CREATE OR REPLACE TEMP TABLE original AS {read}")
    if not table.person_keys:
        shutil.copyfile(path, target)
        counted = con.execute("SELECT count(*) FROM original").fetchone()
    else:
        # DuckDB quotes more than it must; an export without quotes stays without.
        quote = '"' if b'"' in path.read_bytes() else ""
        shown = ", ".join(f'{_copied(column, times)} AS "{column.name}"' for column in table.columns)
        counted = con.execute(
            f"COPY (SELECT {shown} FROM range({times}) AS copies(copy), original) TO '{target}' "
            f"(FORMAT csv, HEADER, DELIMITER '{dataset.format.delimiter}', QUOTE '{quote}', ESCAPE '{quote}')"
        ).fetchone()
    return int(counted[0]) if counted else 0


def _copied(column: Column, times: int) -> str:
    name = f'"{column.name}"'
    if column.identifier_type == "nir":
        return f"new_number(row_number, {times}, copy, {name})"
    if column.identifier_type == "ehr_provider" or column.lake_name in _OF_HOSPITALS_AND_PAYERS:
        return name
    if column.role in (Role.person_key, Role.record_key) or column.identifier_type:
        return f"copied({name}, copy)"
    return name


def main() -> None:
    """Read the arguments and multiply."""
    parser = argparse.ArgumentParser(description="Multiply a Synthea export")
    parser.add_argument("source", type=Path, help="folder of the export")
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--times", type=int, default=10, help="copies of each patient")
    arguments = parser.parse_args()
    for name, rows in multiply(arguments.source, arguments.out, arguments.times).items():
        print(f"{name:28} {rows:>12,}")


if __name__ == "__main__":
    main()
