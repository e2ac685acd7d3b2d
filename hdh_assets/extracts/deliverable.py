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
from hdh_assets.extracts.omop_rules import ROWS, attached_to
from hdh_assets.extracts.ways import NO_WAY, is_deliverable
from hdh_assets.standard.sources_yml import read_project_file


@dataclass(frozen=True)
class ColumnWords:
    """What the dictionary says of a column; empty text where nothing is known."""

    description: str
    description_fr: str = ""
    unit: str = ""
    codes: str = ""


def deliverable(datasets: Mapping[str, Dataset]) -> dict[str, frozenset[str]]:
    """Columns by table name `schema.table`, for every table a permit may name."""
    tables = {f"omop.{table}": frozenset(omop_words(table)) for table in ROWS}
    for dataset in datasets.values():
        for table in dataset.tables:
            if is_deliverable(dataset, table):
                tables[f"{dataset.id}.{table.lake_name}"] = frozenset(c.lake_name for c in table.lake_columns)
    return tables


def undeliverable(datasets: Mapping[str, Dataset]) -> dict[str, str]:
    """Tables by name that the hub has and no permit may name, with why."""
    tables = ((dataset, table) for dataset in datasets.values() for table in dataset.tables)
    return {f"{d.id}.{table.lake_name}": NO_WAY for d, table in tables if not is_deliverable(d, table)}


def needed(tables: Iterable[str]) -> dict[str, frozenset[str]]:
    """Of those tables, the ones that give rows of other tables alone: the tables of which one must be asked for."""
    of_omop = {table: attached_to(table.removeprefix("omop.")) for table in tables if table.startswith("omop.")}
    return {table: frozenset(f"omop.{event}" for event in events) for table, events in of_omop.items() if events}


def table_words(datasets: Mapping[str, Dataset], name: str) -> tuple[str, dict[str, ColumnWords]]:
    """Description of a table, and words of its columns."""
    schema, _, table = name.partition(".")
    if schema == "omop":
        return str(_omop_model(table).get("description", "")), omop_words(table)
    found = datasets[schema].by_name[table]
    return found.description.en, {column.lake_name: _column_words(column) for column in found.lake_columns}


def omop_words(table: str) -> dict[str, ColumnWords]:
    """Words of a CDM table's columns, by column."""
    return {
        str(column["name"]).strip('"'): ColumnWords(str(column.get("description", "")))
        for column in _omop_model(table).get("columns", [])
    }


def _column_words(column: Column) -> ColumnWords:
    codes = "; ".join(f"{code} = {label}" for code, label in (column.codes or {}).items())
    listed = " ".join(part for part in (column.code_list, codes and f"({codes})") if part)
    return ColumnWords(column.description.en, column.description.fr, column.unit or "", listed)


@cache
def _omop_model(table: str) -> dict[str, Any]:
    content = read_project_file(f"models/omop/{table}.yml")
    return next((model for model in content["models"] if model["name"] == table), {})
