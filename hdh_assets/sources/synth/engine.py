"""The DuckDB connection the generators share: its random macros, the code lists, and how a table becomes a file.

Randomness is a hash of a key and a tag, so that a value depends on what it describes and on the seed, never on the
order of rows, the number of threads or the periods asked for.
"""

from __future__ import annotations

import codecs
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Table
from hdh_assets.core.dialect import Format
from hdh_assets.core.sql_text import literal

_HERE = Path(__file__).resolve().parent
CODE_LISTS = tuple(sorted(path.stem for path in (_HERE / "codes").glob("*.csv")))

BANDS: tuple[tuple[str, int], ...] = (("infant", 2), ("child", 16), ("adult", 40), ("mature", 65), ("senior", 200))
"""Age bands of the weights, each with the age it ends before."""


@cache
def sql(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return (_HERE / "sql" / f"{name}.sql").read_text("utf-8")


def run(con: duckdb.DuckDBPyConnection, name: str, **values: Any) -> None:
    """Execute `sql/<name>.sql` with `values` in place of its `{names}`."""
    con.execute(sql(name).format(**values))


def open_engine(spill: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the macros and one `code_<list>` table per code list; beyond 2 GB it spills to `spill`."""
    con = duckdb.connect(config={"temp_directory": str(spill), "memory_limit": "2GB"})
    con.execute(sql("macros"))
    for name in CODE_LISTS:
        path = _HERE / "codes" / f"{name}.csv"
        con.execute(
            f"CREATE TABLE code_{name} AS SELECT row_number() OVER () AS position, * "
            f"FROM read_csv({literal(path)}, all_varchar = true, header = true)"
        )
    for kind in ("first_1", "first_2", "last"):
        con.execute(
            f"SET VARIABLE {kind} = (SELECT list(name ORDER BY position) FROM code_names WHERE kind = '{kind}')"
        )
    return con


def has_table(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a table of that name was already made with this connection."""
    return bool(con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [name]).fetchone())


def slots(con: duckdb.DuckDBPyConnection, name: str, source: str, groups: str, item: str) -> None:
    """Make table `name` (groups, slot 0..999, item): a draw `pick('…', key, 1000)` finds its item by weight.

    `source` is a query giving the columns of `groups`, `item`, an integer `weight` and a `position` for the order.
    """
    con.execute(f"""
        CREATE TABLE {name} AS
        WITH weighted AS (
            SELECT {groups}, {item}, weight,
                   sum(weight) OVER (PARTITION BY {groups} ORDER BY position) AS upper_bound,
                   sum(weight) OVER (PARTITION BY {groups}) AS total
            FROM ({source}) WHERE weight > 0
        )
        SELECT {groups}, s.range::INTEGER AS slot, {item}
        FROM weighted JOIN range(1000) s
          ON s.range * total >= 1000 * (upper_bound - weight) AND s.range * total < 1000 * upper_bound
    """)


def write_table(con: duckdb.DuckDBPyConnection, query: str, table: Table, dialect: Format, path: Path) -> int:
    """Write the rows of `query`, in its order, as the producer would write `table`; the number of rows.

    The query gives declared columns under their names in lower case; the others are empty.
    """
    given = {row[0].lower() for row in con.execute(f"DESCRIBE {query}").fetchall()}
    shown = ", ".join(
        f'{_text(column, dialect) if column.lake_name in given else "NULL::VARCHAR"} AS "{column.name}"'
        for column in table.columns
    )
    options = "FORMAT parquet"
    if dialect.kind == "parquet":
        shown = ", ".join(f'"{c.lake_name}" AS "{c.name}"' for c in table.columns if c.lake_name in given)
    else:
        delimiter, quote = literal(dialect.delimiter), literal(dialect.quote or "")
        options = f"FORMAT csv, HEADER, DELIMITER {delimiter}, QUOTE {quote}, ESCAPE {quote}"
    counted = con.execute(f"COPY (SELECT {shown} FROM ({query})) TO {literal(path)} ({options})").fetchone()
    if dialect.kind == "csv" and dialect.encoding != "utf-8":
        _recode(path, dialect.encoding)
    return int(counted[0]) if counted else 0


def _text(column: Column, dialect: Format) -> str:
    name = f'"{column.lake_name}"'
    match column.kind:
        case "date":
            return f"strftime({name}, {literal(column.format or dialect.date)})"
        case "timestamp":
            return f"strftime({name}, {literal(column.format or dialect.timestamp)})"
        case "decimal" | "float" if dialect.decimal == ",":
            return f"replace(CAST({name} AS VARCHAR), '.', ',')"
        case _:
            return name


def _recode(path: Path, encoding: str) -> None:
    """Rewrite a UTF-8 file in another encoding, a bounded piece at a time."""
    sibling = path.with_name(f".{path.name}.recoded")
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoder = codecs.getincrementalencoder(encoding)()
    with path.open("rb") as source, sibling.open("wb") as target:
        while chunk := source.read(1 << 20):
            target.write(encoder.encode(decoder.decode(chunk)))
        target.write(encoder.encode(decoder.decode(b"", True), True))
    sibling.replace(path)
