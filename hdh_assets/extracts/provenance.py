"""Which deliveries a table of the lake comes from: the link between an extract's bytes and a producer's files.

Exact to the file. A table made by dbt comes from the current files of every delivered table its models read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from hdh_assets.sources.intake.manifest import table_named
from hdh_assets.standard.lineage import delivered_tables
from resources.lake import has_table

_MADE_BY_DBT = {"omop", "staging"}


@dataclass(frozen=True)
class Delivery:
    """A delivery as the lake remembers it. `files` are dicts with name, size, rows and sha256."""

    digest: str
    dataset: str
    period: str
    producer: str
    status: str
    tables: frozenset[str]
    files: tuple[dict[str, Any], ...]

    def summary(self) -> dict[str, Any]:
        """What a manifest says of it."""
        return {"dataset": self.dataset, "period": self.period, "producer": self.producer}

    def digests(self) -> dict[str, str]:
        """SHA-256 of each of these files, by name."""
        return {str(file["name"]): str(file["sha256"]) for file in self.files}


def deliveries(engine: duckdb.DuckDBPyConnection, *, only_current: bool = True) -> list[Delivery]:
    """Deliveries known at the connection's snapshot, by dataset and period; none when nothing was ever delivered."""
    if not has_table(engine, "meta", "delivery"):
        return []
    where = "WHERE status = 'current'" if only_current else ""
    rows = engine.execute(
        "SELECT digest, dataset, period, producer, status, tables, files FROM lake.meta.delivery "
        f"{where} ORDER BY dataset, period, digest"
    ).fetchall()
    return [
        Delivery(digest, dataset, period, producer, status, frozenset(json.loads(tables)), tuple(json.loads(files)))
        for digest, dataset, period, producer, status, tables, files in rows
    ]


def feeding(table: str, known: Iterable[Delivery]) -> list[Delivery]:
    """Those of the `known` deliveries that feed the lake table `schema.name`, each with the files that do, no other."""
    tables = feeding_tables(table)
    return [found for delivery in known if (found := _of_tables(delivery, tables)).files]


def feeding_tables(table: str) -> Collection[tuple[str, str]]:
    """(dataset, table) of the delivered tables that feed the lake table `schema.name`: itself, where it is one."""
    schema, _, name = table.partition(".")
    return delivered_tables(name) if schema in _MADE_BY_DBT else {(schema, name)}


def _of_tables(delivery: Delivery, tables: Collection[tuple[str, str]]) -> Delivery:
    """The delivery with its files of these tables alone."""
    files = [(table_named(delivery.tables, str(file["name"])), file) for file in delivery.files]
    return replace(delivery, files=tuple(file for table, file in files if (delivery.dataset, table) in tables))
