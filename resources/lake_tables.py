"""The lake's delivered tables and its register of deliveries: their shape, made from descriptors, and their rows.

Here: creating what is missing, and reading `meta.delivery`, which shows the last word of `meta.registration` on each.
What goes into delivered tables is the intake's business; OMOP tables belong to the dbt project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import duckdb

from hdh_assets.core.descriptor import Dataset, Mode, Table
from hdh_assets.core.digests import short
from resources.lake import ALIAS, METADATA, Lake, has_table, transaction
from resources.removals import SHAPES

TECHNICAL: dict[str, str] = {"_delivery": "UUID", "_period": "VARCHAR", "_file": "VARCHAR"}
"""Columns of every delivered table that are not the producer's."""

ROW_GROUP_ROWS = 61_440
"""Rows of a Parquet row group: tables of a hundred columns are then written within a bounded memory."""

CONFLICT_REMEDY = "give the column of the new type another name, or restore the descriptor"

_DUCKLAKE = {"int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE"}
"""Types that DuckLake calls otherwise than the engine."""
_INTEGERS = {"SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_EXACT_DIGITS = 15
"""Decimal digits that a DOUBLE holds whatever they are."""

_DELIVERY: dict[str, str] = {
    "delivery_id": "UUID NOT NULL",
    "digest": "VARCHAR NOT NULL",
    "dataset": "VARCHAR NOT NULL",
    "period": "VARCHAR NOT NULL",
    "producer": "VARCHAR NOT NULL",
    "status": "VARCHAR NOT NULL",
    "loaded_at": "TIMESTAMPTZ NOT NULL",
    "descriptor_version": "INTEGER NOT NULL",
    "row_count": "BIGINT NOT NULL",
    "rejected_count": "BIGINT NOT NULL",
    "tables": "VARCHAR NOT NULL",
    "files": "VARCHAR NOT NULL",
    "receipt": "VARCHAR NOT NULL",
    "run_id": "VARCHAR NOT NULL",
    "sealed_at": "TIMESTAMPTZ NOT NULL",
}
_REGISTRATION = _DELIVERY | {"revision": "INTEGER NOT NULL"}
"""A register that is only ever added to: two writers who change or remove rows of one table undo each other's work.

What becomes of a delivery is another row of it, of the next revision.
"""
_OLD_REGISTER = (
    f"ALTER TABLE {ALIAS}.meta.delivery RENAME TO registration",
    f"ALTER TABLE {ALIAS}.meta.registration ADD COLUMN revision INTEGER DEFAULT 1",
)
_LATEST = (
    f"CREATE VIEW {ALIAS}.meta.delivery AS SELECT {', '.join(_DELIVERY)} FROM {ALIAS}.meta.registration "
    "QUALIFY row_number() OVER (PARTITION BY dataset, digest, delivery_id ORDER BY revision DESC) = 1"
)


@dataclass(frozen=True)
class DeliveryRow:
    """One accepted delivery, as `lake.meta.delivery` holds it: the truth about what is loaded.

    `status` is `current` or `superseded`; `tables`, `files` and `receipt` are JSON texts.
    """

    delivery_id: UUID
    digest: str
    dataset: str
    period: str
    producer: str
    status: str
    loaded_at: datetime
    descriptor_version: int
    row_count: int
    rejected_count: int
    tables: str
    files: str
    receipt: str
    run_id: str
    sealed_at: datetime

    @property
    def receipt_data(self) -> dict[str, Any]:
        """The receipt that was given, as data."""
        content: dict[str, Any] = json.loads(self.receipt)
        return content


def ensure_tables(engine: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> None:
    """Make delivered tables and those of `meta` what descriptors say, as far as no row is touched; idempotent.

    Tables and columns that are missing are created, a column whose type became wider is widened, one that may be empty
    now may be. What cannot follow stays as it is: see `type_conflicts`. Opens its own transaction.
    """
    shapes = {"registration": _REGISTRATION} | SHAPES
    absent = [table for table in shapes if not has_table(engine, "meta", table)]
    # lakes made before the register was only added to
    old = _OLD_REGISTER if "registration" in absent and has_table(engine, "meta", "delivery") else ()
    statements = [*old, *(each for table in absent for each in _create("meta", table, shapes[table]))]
    for dataset in datasets.values():
        for table in dataset.tables:
            statements += _missing(dataset, table, _present(engine, dataset, table))
    if "registration" in absent:
        statements.append(_LATEST)
        statements.append(f"CALL {ALIAS}.set_option('parquet_row_group_size', '{ROW_GROUP_ROWS}')")
    if statements:
        with transaction(engine):
            for statement in statements:
                engine.execute(statement)


def type_conflicts(engine: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> list[str]:
    """Columns of the lake in which nothing can be loaded: their type is neither the descriptor's nor becomes it."""
    found = _columns(engine)
    wanted = {
        (dataset.id, table.lake_name, column.lake_name): column.duckdb_type
        for dataset in datasets.values()
        for table in dataset.tables
        for column in table.lake_columns
    }
    return [
        f"{'.'.join(place)} is {found[place]} in the lake and {kind} in the descriptor"
        for place, kind in wanted.items()
        if place in found and found[place] != kind and not is_widening(found[place], kind)
    ]


def exposed(engine: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> list[str]:
    """Direct identifiers that the lake holds in clear, since a descriptor calls them so now: `dataset.table.column`."""
    hidden = {
        (dataset.id, table.lake_name, column.lake_name)
        for dataset in datasets.values()
        for table in dataset.tables
        for column in table.columns
        if not column.is_in_lake
    }
    return [".".join(place) for place in sorted(hidden & _columns(engine).keys()) if _is_filled(engine, *place)]


def undescribed(engine: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> list[str]:
    """What holds delivered rows out of every descriptor's sight: tables, and columns of pseudonyms in described ones.

    As `dataset.table` or `dataset.table.column`, in order. An opposition finds nobody there.
    """
    if not has_table(engine, "meta", "delivery"):
        return []
    delivered = {name for (name,) in engine.execute(f"SELECT DISTINCT dataset FROM {ALIAS}.meta.delivery").fetchall()}
    tables = {(dataset.id, table.lake_name): table for dataset in datasets.values() for table in dataset.tables}
    found = []
    for (schema, name, column), kind in sorted(_columns(engine).items()):
        table = tables.get((schema, name))
        if schema not in delivered or kind != "UUID":
            continue
        if table is not None and (column in TECHNICAL or column in table.by_name):
            continue
        # every delivered table has a column `_delivery`, never empty
        if (table is not None or column == "_delivery") and _is_filled(engine, schema, name, column):
            found.append(f"{schema}.{name}" if table is None else f"{schema}.{name}.{column}")
    return found


def _columns(engine: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], str]:
    """Type of every column of the lake's tables, by schema, table and column. The engine's lists look at every file."""
    rows = engine.execute(
        f"SELECT schema_name, table_name, column_name, column_type FROM {METADATA}.ducklake_column AS col "
        f"JOIN {METADATA}.ducklake_table AS named ON named.table_id = col.table_id AND named.end_snapshot IS NULL "
        f"JOIN {METADATA}.ducklake_schema AS domain "
        "ON domain.schema_id = named.schema_id AND domain.end_snapshot IS NULL "
        "WHERE col.end_snapshot IS NULL AND col.parent_column IS NULL"
    ).fetchall()
    return {(schema, table, column): _DUCKLAKE.get(kind, kind.upper()) for schema, table, column, kind in rows}


def _is_filled(engine: duckdb.DuckDBPyConnection, schema: str, table: str, column: str) -> bool:
    """Whether any row of the lake's table has a value there."""
    held = f'SELECT 1 FROM {ALIAS}."{schema}"."{table}" WHERE "{column}" IS NOT NULL LIMIT 1'
    return bool(engine.execute(held).fetchall())


def is_widening(old: str, new: str) -> bool:
    """Whether every value of the one type of the lake is, unchanged, a value of the other."""
    before, after = _digits(old), _digits(new)
    if before is None:
        return (old, new) == ("DATE", "TIMESTAMP")
    if new == "DOUBLE":
        return sum(before) <= _EXACT_DIGITS
    return after is not None and old != "DOUBLE" and before[0] <= after[0] and before[1] <= after[1]


def _digits(kind: str) -> tuple[int, int] | None:
    """Digits before and after the point that a type of number holds; None of any other type."""
    if kind in _INTEGERS:
        return _INTEGERS[kind], 0
    if (decimal := _DECIMAL.fullmatch(kind)) is None:
        return None
    precision, scale = int(decimal[1]), int(decimal[2])
    return precision - scale, scale


def table_sql(dataset: Dataset, table: Table) -> str:
    """The delivered table's quoted name."""
    return f'{ALIAS}."{dataset.id}"."{table.lake_name}"'


def loading(digest: str, loaded_at: datetime) -> str:
    """What tells one loading of a delivery from every other: it may be loaded again, with other rows."""
    return f"{short(digest)} {loaded_at.astimezone(UTC).isoformat()}"


def find_delivery(engine: duckdb.DuckDBPyConnection, digest: str) -> DeliveryRow | None:
    """The accepted delivery of that digest, whatever its status."""
    return next(iter(_select(engine, "digest = ?", [digest])), None)


def find_committed(lake: Lake, digest: str) -> DeliveryRow | None:
    """The same of a lake that may not exist yet. Never waits for a writer, and sees nothing it has not committed."""
    if lake.is_embedded and not lake.catalog_file.exists():
        return None
    with lake.reader() as engine:
        return find_delivery(engine, digest) if has_table(engine, "meta", "delivery") else None


def loaded_by(lake: Lake, run_id: str) -> list[DeliveryRow]:
    """Deliveries that the lake holds as that run loaded them; the lake may not exist yet."""
    if lake.is_embedded and not lake.catalog_file.exists():
        return []
    with lake.reader() as engine:
        known = deliveries(engine) if has_table(engine, "meta", "delivery") else []
    return [row for row in known if row.run_id == run_id]


def deliveries(engine: duckdb.DuckDBPyConnection, dataset: str | None = None) -> list[DeliveryRow]:
    """Accepted deliveries, of one dataset or all, oldest first."""
    return _select(engine, "?::VARCHAR IS NULL OR dataset = ?", [dataset, dataset])


def register(engine: duckdb.DuckDBPyConnection, row: DeliveryRow) -> None:
    """Record a delivery, or what became of one that the register holds."""
    values = [getattr(row, field.name) for field in fields(row)]
    engine.execute(
        f"INSERT INTO {ALIAS}.meta.registration ({', '.join(_REGISTRATION)}) SELECT {', '.join('?' * len(values))}, "
        f"(SELECT coalesce(max(revision), 0) + 1 FROM {ALIAS}.meta.registration WHERE delivery_id = ?)",
        [*values, row.delivery_id],
    )


def supersede(engine: duckdb.DuckDBPyConnection, dataset: Dataset, rows: Iterable[DeliveryRow]) -> None:
    """Take these deliveries' rows out of the tables and mark them superseded."""
    for row in rows:
        delete_rows(engine, dataset, row.delivery_id)
        register(engine, replace(row, status="superseded"))


def delete_rows(engine: duckdb.DuckDBPyConnection, dataset: Dataset, delivery: UUID) -> None:
    """Take one delivery's rows out of every table of its dataset."""
    for table in dataset.tables:
        engine.execute(f"DELETE FROM {table_sql(dataset, table)} WHERE _delivery = ?", [delivery])


def rivals(dataset: Dataset, period: str, known: Iterable[DeliveryRow]) -> list[DeliveryRow]:
    """Current deliveries of which at most one may stay beside a delivery of `period`, by the dataset's mode."""
    return [
        row
        for row in known
        if row.status == "current"
        and (row.dataset == dataset.id)
        and scope(dataset, row.period) == scope(dataset, period)
    ]


def is_latest(period: str, sealed_at: datetime, digest: str, among: Iterable[DeliveryRow]) -> bool:
    """Whether a delivery replaces its rivals: the later period, then the later seal, then the greater digest.

    So the order of arrival does not matter, even to two deliveries sealed in the same second.
    """
    rank = (period, sealed_at.astimezone(UTC), digest)
    return all((row.period, row.sealed_at.astimezone(UTC), row.digest) <= rank for row in among)


def scope(dataset: Dataset, period: str) -> str:
    """What of the dataset a delivery of that period fills, and at most one delivery is in force for."""
    match dataset.mode:
        case Mode.append:
            return period
        case Mode.snapshot:
            return ""
        case Mode.cumulative:
            return period[:4]


def _select(engine: duckdb.DuckDBPyConnection, condition: str, values: list[Any]) -> list[DeliveryRow]:
    columns = ", ".join(_DELIVERY)
    found = engine.execute(
        f"SELECT {columns} FROM {ALIAS}.meta.delivery WHERE {condition} ORDER BY loaded_at, digest", values
    ).fetchall()
    return [DeliveryRow(*row) for row in found]


def _present(engine: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table) -> dict[str, tuple[str, bool]] | None:
    """Type of each column of a delivered table and whether it may be empty; None when there is no such table.

    See `has_table` for why one by one.
    """
    try:
        described = engine.execute(f"DESCRIBE {table_sql(dataset, table)}").fetchall()
    except duckdb.CatalogException:
        return None
    return {column: (kind, nullable == "YES") for column, kind, nullable, *_ in described}


def _missing(dataset: Dataset, table: Table, present: dict[str, tuple[str, bool]] | None) -> list[str]:
    required = {name.lower() for name in table.primary_key} | set(TECHNICAL)
    wanted = {c.lake_name: c.duckdb_type for c in table.lake_columns} | TECHNICAL
    if present is None:
        shape = {name: f"{kind} NOT NULL" if name in required else kind for name, kind in wanted.items()}
        return _create(dataset.id, table.lake_name, shape)
    changes = [f'ADD COLUMN "{name}" {kind}' for name, kind in wanted.items() if name not in present]
    for name, (kind, may_be_empty) in present.items():
        if is_widening(kind, wanted.get(name, kind)) and wanted.get(name, kind) != kind:
            changes.append(f'ALTER COLUMN "{name}" TYPE {wanted[name]}')
        if not may_be_empty and name not in required:
            changes.append(f'ALTER COLUMN "{name}" DROP NOT NULL')
    return [f"ALTER TABLE {table_sql(dataset, table)} {change}" for change in changes]


def _create(schema: str, table: str, shape: Mapping[str, str]) -> list[str]:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in shape.items())
    return [
        f'CREATE SCHEMA IF NOT EXISTS {ALIAS}."{schema}"',
        f'CREATE TABLE IF NOT EXISTS {ALIAS}."{schema}"."{table}" ({columns})',
    ]
