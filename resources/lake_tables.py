"""The lake's delivered tables and its register of deliveries: their shape, made from descriptors, and their rows.

Here: creating what is missing, and reading and writing `meta.delivery`. What goes into delivered tables is the
intake's business; OMOP tables belong to the dbt project.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import duckdb

from hdh_assets.core.descriptor import Dataset, Mode, Table
from hdh_assets.core.errors import ConfigurationError
from resources.lake import ALIAS, Lake, has_table, transaction
from resources.removals import SHAPES

TECHNICAL: dict[str, str] = {"_delivery": "UUID", "_period": "VARCHAR", "_file": "VARCHAR"}
"""Columns of every delivered table that are not the producer's."""

DIGEST_START = 12
"""Digits of a digest that people are shown."""

ROW_GROUP_ROWS = 61_440
"""Rows of a Parquet row group: tables of a hundred columns are then written within a bounded memory."""

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
    """Create every delivered table and table of `meta` that is missing, and columns a descriptor gained; idempotent.

    Opens its own transaction. Raises `ConfigurationError` when a column exists with another type.
    """
    shapes = {"delivery": _DELIVERY} | SHAPES
    absent = [table for table in shapes if not has_table(engine, "meta", table)]
    statements = [statement for table in absent for statement in _create("meta", table, shapes[table])]
    for dataset in datasets.values():
        for table in dataset.tables:
            statements += _missing(dataset, table, _present(engine, dataset, table))
    if "delivery" in absent:
        statements.append(f"CALL {ALIAS}.set_option('parquet_row_group_size', '{ROW_GROUP_ROWS}')")
    if statements:
        with transaction(engine):
            for statement in statements:
                engine.execute(statement)


def table_sql(dataset: Dataset, table: Table) -> str:
    """The delivered table's quoted name."""
    return f'{ALIAS}."{dataset.id}"."{table.lake_name}"'


def loading(digest: str, loaded_at: datetime) -> str:
    """What tells one loading of a delivery from every other: it may be loaded again, with other rows."""
    return f"{digest[:DIGEST_START]} {loaded_at.astimezone(UTC).isoformat()}"


def find_delivery(engine: duckdb.DuckDBPyConnection, digest: str) -> DeliveryRow | None:
    """The accepted delivery of that digest, whatever its status."""
    return next(iter(_select(engine, "digest = ?", [digest])), None)


def find_committed(lake: Lake, digest: str) -> DeliveryRow | None:
    """The same of a lake that may not exist yet. Never waits for a writer, and sees nothing it has not committed."""
    if lake.is_embedded and not lake.catalog_file.exists():
        return None
    with lake.reader() as engine:
        return find_delivery(engine, digest) if has_table(engine, "meta", "delivery") else None


def deliveries(engine: duckdb.DuckDBPyConnection, dataset: str | None = None) -> list[DeliveryRow]:
    """Accepted deliveries, of one dataset or all, oldest first."""
    return _select(engine, "?::VARCHAR IS NULL OR dataset = ?", [dataset, dataset])


def insert_delivery(engine: duckdb.DuckDBPyConnection, row: DeliveryRow) -> None:
    """Record a delivery the register does not hold; of one that is loaded again, see `remove_delivery`."""
    values = [getattr(row, field.name) for field in fields(row)]
    engine.execute(f"INSERT INTO {ALIAS}.meta.delivery VALUES ({', '.join('?' * len(values))})", values)


def remove_delivery(engine: duckdb.DuckDBPyConnection, dataset: Dataset, delivery: UUID) -> None:
    """Take one delivery out whole, its line of the register included, before it is loaded again."""
    delete_rows(engine, dataset, delivery)
    engine.execute(f"DELETE FROM {ALIAS}.meta.delivery WHERE delivery_id = ?", [delivery])


def supersede(engine: duckdb.DuckDBPyConnection, dataset: Dataset, rows: Iterable[DeliveryRow]) -> None:
    """Take these deliveries' rows out of the tables and mark them superseded."""
    for row in rows:
        delete_rows(engine, dataset, row.delivery_id)
        engine.execute(
            f"UPDATE {ALIAS}.meta.delivery SET status = 'superseded' WHERE delivery_id = ?", [row.delivery_id]
        )


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
        and _scope(dataset, row.period) == _scope(dataset, period)
    ]


def is_latest(period: str, sealed_at: datetime, among: Iterable[DeliveryRow]) -> bool:
    """Whether a delivery replaces its rivals: the later period, then the later seal; of two equal ones, the last come.

    So the order of arrival does not matter.
    """
    return all((row.period, row.sealed_at.astimezone(UTC)) <= (period, sealed_at.astimezone(UTC)) for row in among)


def _scope(dataset: Dataset, period: str) -> str:
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


def _present(engine: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table) -> dict[str, str] | None:
    """Types by column of a delivered table; None when there is no such table. See `has_table` for why one by one."""
    try:
        described = engine.execute(f"DESCRIBE {table_sql(dataset, table)}").fetchall()
    except duckdb.CatalogException:
        return None
    return {column: kind for column, kind, *_ in described}


def _missing(dataset: Dataset, table: Table, present: dict[str, str] | None) -> list[str]:
    key = {name.lower() for name in table.primary_key}
    wanted = {c.lake_name: c.duckdb_type for c in table.lake_columns} | TECHNICAL
    if present is None:
        required = key | set(TECHNICAL)
        shape = {name: f"{kind} NOT NULL" if name in required else kind for name, kind in wanted.items()}
        return _create(dataset.id, table.lake_name, shape)
    for name, kind in wanted.items():
        if present.get(name, kind).replace(" ", "") != kind:
            raise ConfigurationError(
                f"{dataset.id}.{table.lake_name}.{name} is {present[name]} in the lake and {kind} in the descriptor",
                remedy="give the column of the new type another name, or restore the descriptor",
            )
    return [
        f'ALTER TABLE {table_sql(dataset, table)} ADD COLUMN "{name}" {kind}'
        for name, kind in wanted.items()
        if name not in present
    ]


def _create(schema: str, table: str, shape: Mapping[str, str]) -> list[str]:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in shape.items())
    return [
        f'CREATE SCHEMA IF NOT EXISTS {ALIAS}."{schema}"',
        f'CREATE TABLE IF NOT EXISTS {ALIAS}."{schema}"."{table}" ({columns})',
    ]
