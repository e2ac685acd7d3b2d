"""Which concepts the CDM tables and the seeds name that `omop.concept` does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from hdh_assets.standard.sources_yml import PROJECT


def unknown_concepts(rows: Callable[[str], list[tuple[Any, ...]]]) -> set[tuple[str, str, int]]:
    """Table, column and id of each; `rows` answers a query on a lake."""
    seeds = rows(
        "SELECT 'staging', table_name, column_name FROM duckdb_columns() WHERE database_name = 'lake' "
        f"AND schema_name = 'staging' AND column_name LIKE '%concept_id' AND table_name IN {_seeds()}"
    )
    lost = " UNION ALL ".join(
        f"SELECT DISTINCT '{table}', '{column}', {column} FROM lake.{schema}.{table} WHERE {column} IS NOT NULL"
        for schema, table, column in [*seeds, *_of_tables()]
    )
    return set(rows(f"FROM ({lost}) AS named (t, c, concept_id) ANTI JOIN lake.omop.concept USING (concept_id)"))


def _seeds() -> tuple[str, ...]:
    return tuple(path.stem for path in (PROJECT / "seeds").rglob("*.csv"))


def _of_tables() -> list[tuple[str, str, str]]:
    models = [
        model
        for path in sorted((PROJECT / "models" / "omop").glob("*.yml"))
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", [])
    ]
    return [
        ("omop", model["name"], column["name"])
        for model in models
        for column in model["columns"]
        if column.get("config", {}).get("meta", {}).get("references") == "concept.concept_id"
    ]
