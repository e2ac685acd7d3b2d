"""The DuckDB connection the generators share: its random macros, the code lists, and how a table becomes a file.

Randomness is a hash of a key and a tag, so that a value depends on what it describes and on the seed, never on the
order of rows, the number of threads or the periods asked for.
"""

from __future__ import annotations

import codecs
from pathlib import Path

import duckdb

from hdh_assets.core.descriptor import Column, Format, Table

CODES = Path(__file__).resolve().parent / "codes"
CODE_LISTS = (
    "services", "drugs", "acts", "lab_tests", "devices", "hospital_drugs", "illnesses", "communes", "ehr",
)  # fmt: skip

BANDS: tuple[tuple[str, int], ...] = (("infant", 2), ("child", 16), ("adult", 40), ("mature", 65), ("senior", 200))
"""Age bands of the weights, each with the age it ends before."""

_MACROS = """
-- A second hash over the first: the bits of one tag say nothing of those of another.
CREATE MACRO rnd(tag, key) AS hash(hash(key, tag));
CREATE MACRO pick(tag, key, n) AS (rnd(tag, key) % n)::BIGINT;
CREATE MACRO unit(tag, key) AS (rnd(tag, key) >> 11)::DOUBLE / 9007199254740992.0;
CREATE MACRO percent(tag, key, p) AS (rnd(tag, key) % 1000) < p * 10;
CREATE MACRO band_of(age) AS (age >= 2)::INTEGER + (age >= 16)::INTEGER + (age >= 40)::INTEGER + (age >= 65)::INTEGER;
CREATE MACRO pseudonym(text) AS upper(substr(md5(text), 1, 17));
CREATE MACRO uuid_of(text) AS CAST(CAST(md5(text) AS UUID) AS VARCHAR);
"""


def open_engine(spill: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the macros and one `code_<list>` table per code list; it spills to `spill`."""
    con = duckdb.connect(config={"temp_directory": str(spill), "memory_limit": "2GB"})
    con.execute(_MACROS)
    for name in CODE_LISTS:
        con.execute(
            f"CREATE TABLE code_{name} AS SELECT row_number() OVER () AS position, * "
            f"FROM read_csv('{CODES / f'{name}.csv'}', all_varchar = true)"
        )
    return con


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

    The query gives one column per declared column, under its name in lower case; those it lacks are empty.
    """
    given = {row[0].lower() for row in con.execute(f"DESCRIBE {query}").fetchall()}
    shown = ", ".join(
        f'{_text(column, dialect) if column.lake_name in given else "NULL::VARCHAR"} AS "{column.name}"'
        for column in table.columns
    )
    if dialect.kind == "parquet":
        kept = ", ".join(f'"{c.lake_name}" AS "{c.name}"' for c in table.columns if c.lake_name in given)
        counted = con.execute(f"COPY (SELECT {kept} FROM ({query})) TO '{path}' (FORMAT parquet)").fetchone()
        return int(counted[0]) if counted else 0
    quoting = "QUOTE '', ESCAPE ''" if dialect.quote is None else f"QUOTE '{dialect.quote}', ESCAPE '{dialect.quote}'"
    counted = con.execute(
        f"COPY (SELECT {shown} FROM ({query})) TO '{path}' (FORMAT csv, HEADER, DELIMITER '{dialect.delimiter}', {quoting})"
    ).fetchone()
    if dialect.encoding != "utf-8":
        _recode(path, dialect.encoding)
    return int(counted[0]) if counted else 0


def _text(column: Column, dialect: Format) -> str:
    name = f'"{column.lake_name}"'
    match column.kind:
        case "date":
            return f"strftime({name}, '{column.format or dialect.date}')"
        case "timestamp":
            return f"strftime({name}, '{column.format or dialect.timestamp}')"
        case "decimal" | "float" if dialect.decimal == ",":
            return f"replace(CAST({name} AS VARCHAR), '.', ',')"
        case "boolean":
            return f"CASE WHEN {name} THEN 'true' ELSE 'false' END"
        case _:
            return name


def _recode(path: Path, encoding: str) -> None:
    """Rewrite a UTF-8 file in another encoding, a bounded piece at a time."""
    sibling = path.with_name(f".{path.name}.recoded")
    decoder, encoder = codecs.getincrementaldecoder("utf-8")(), codecs.getincrementalencoder(encoding)()
    with path.open("rb") as source, sibling.open("wb") as target:
        while chunk := source.read(1 << 20):
            target.write(encoder.encode(decoder.decode(chunk)))
        target.write(encoder.encode(decoder.decode(b"", True), True))
    sibling.replace(path)
