"""What a permit may name: deliverable tables and columns, with their descriptions.

Delivered tables come from the descriptors, CDM tables from the dbt project's contracts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.opposition import NIR
from hdh_assets.extracts.omop_rules import ROWS, attached_to
from hdh_assets.extracts.ways import why_undeliverable
from hdh_assets.sources.opposed.probes import person_types
from hdh_assets.standard.sources_yml import read_project_file


@dataclass(frozen=True)
class ColumnWords:
    """What the dictionary says of a column; empty text where nothing is known."""

    description: str
    description_fr: str = ""
    unit: str = ""
    codes: str = ""
    type: str = ""
    """Its type in the lake."""


@dataclass(frozen=True)
class TableWords:
    """What the dictionary says of a table, and of its columns by name, in order."""

    description: str
    description_fr: str
    columns: Mapping[str, ColumnWords]


def deliverable(datasets: Mapping[str, Dataset]) -> dict[str, frozenset[str]]:
    """Columns by table name `schema.table`, for every table a permit may name."""
    tables = {f"omop.{table}": frozenset(omop_words(table)) for table in ROWS}
    withheld = undeliverable(datasets)
    for dataset in datasets.values():
        for table in dataset.tables:
            if (name := f"{dataset.id}.{table.lake_name}") not in withheld:
                tables[name] = frozenset(column.lake_name for column in table.lake_columns)
    return tables


def undeliverable(datasets: Mapping[str, Dataset]) -> dict[str, str]:
    """Tables by name that the hub has and no permit may name, with why."""
    kinds = person_types(datasets.values()) | {NIR}
    tables = ((dataset, table) for dataset in datasets.values() for table in dataset.tables)
    why = {f"{dataset.id}.{table.lake_name}": why_undeliverable(dataset, table, kinds) for dataset, table in tables}
    return {name: reason for name, reason in why.items() if reason}


def needed(tables: Iterable[str]) -> dict[str, frozenset[str]]:
    """Of those tables, the ones that give rows of other tables alone: the tables of which one must be asked for."""
    of_omop = {table: attached_to(table.removeprefix("omop.")) for table in tables if table.startswith("omop.")}
    return {table: frozenset(f"omop.{event}" for event in events) for table, events in of_omop.items() if events}


def table_words(datasets: Mapping[str, Dataset], name: str) -> TableWords:
    """Words of a deliverable table and of its columns."""
    schema, _, table = name.partition(".")
    if schema == "omop":
        return TableWords(*_described(_omop_model(table)), omop_words(table))
    found = datasets[schema].by_name[table]
    columns = {column.lake_name: _column_words(column) for column in found.lake_columns}
    return TableWords(found.description.en, found.description.fr, columns)


def omop_words(table: str) -> dict[str, ColumnWords]:
    """Words of a CDM table's columns, by column."""
    return {
        str(column["name"]).strip('"'): ColumnWords(*_described(column), type=_plain_type(column["data_type"]))
        for column in _omop_model(table).get("columns", [])
    }


def _described(part: Mapping[str, Any]) -> tuple[str, str]:
    """What a model of dbt, or a column of one, says of itself in English and in French."""
    meta = part.get("config", {}).get("meta", {})
    return str(part.get("description", "")), str(meta.get("fr", ""))


def _plain_type(data_type: str) -> str:
    """As DuckDB names it: without a length."""
    return data_type.partition("(")[0].upper()


def _column_words(column: Column) -> ColumnWords:
    codes = "; ".join(f"{code} = {label}" for code, label in (column.codes or {}).items())
    listed = " ".join(part for part in (column.code_list, codes and f"({codes})") if part)
    return ColumnWords(column.description.en, column.description.fr, column.unit or "", listed, column.duckdb_type)


@cache
def _omop_model(table: str) -> dict[str, Any]:
    content = read_project_file(f"models/omop/{table}.yml")
    return next((model for model in content["models"] if model["name"] == table), {})
