"""What the CDM tables and the seeds name that the vocabulary tables do not have, and concepts of what was not said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from hdh_assets.standard.sources_yml import PROJECT

Rows = Callable[[str], list[tuple[Any, ...]]]
"""What answers a query on a lake."""

VOCABULARY = ("concept", "domain", "vocabulary", "concept_class")
"""Tables of the vocabulary that other tables name rows of."""


def unknown_references(rows: Rows) -> set[tuple[str, str, str]]:
    """Table, column and id of what a CDM table names and no vocabulary table has."""
    return {
        found
        for key in VOCABULARY
        for found in _lost(rows, key, [("omop", table, column) for table, column in _columns(f"{key}.{key}_id")])
    }


def unknown_concepts_of_seeds(rows: Rows) -> set[tuple[str, str, str]]:
    """Seed, column and id of the concepts that a seed names and no vocabulary table has."""
    seeds = tuple(path.stem for path in (PROJECT / "seeds").rglob("*.csv"))
    columns = rows(
        "SELECT 'staging', table_name, column_name FROM duckdb_columns() WHERE database_name = 'lake' "
        f"AND schema_name = 'staging' AND column_name LIKE '%concept_id' AND table_name IN {seeds}"
    )
    return _lost(rows, "concept", columns)


def untold_concepts(rows: Rows) -> set[tuple[str, str]]:
    """Table and column of the optional concepts that are 0, for none, where the row says nothing to have one of."""
    found = set()
    for table, columns in _models().items():
        for name in (name for name, column in columns.items() if not column.get("constraints")):
            said = f"{name.removesuffix('_concept_id').removesuffix('_source')}_source_value"
            if name.endswith("_concept_id"):
                unsaid = f"{said} IS NULL" if said in columns else "true"
                if rows(f"SELECT 1 FROM lake.omop.{table} WHERE {name} = 0 AND {unsaid} LIMIT 1"):
                    found.add((table, name))
    return found


def _lost(rows: Rows, key: str, columns: list[tuple[Any, ...]]) -> set[tuple[str, str, str]]:
    named = " UNION ALL ".join(
        f"SELECT DISTINCT '{table}', '{column}', {column}::VARCHAR FROM lake.{schema}.{table}"
        for schema, table, column in columns
    )
    known = f"(SELECT {key}_id::VARCHAR AS id FROM lake.omop.{key})"
    return set(rows(f"FROM ({named}) AS named (t, c, id) ANTI JOIN {known} AS known USING (id) WHERE id IS NOT NULL"))


def _columns(key: str) -> list[tuple[str, str]]:
    """Table and column of what references this key."""
    return [
        (table, name)
        for table, columns in _models().items()
        for name, column in columns.items()
        if column.get("config", {}).get("meta", {}).get("references") == key
    ]


def _models() -> dict[str, dict[str, Any]]:
    """The columns of each CDM table, by name."""
    return {
        model["name"]: {column["name"]: column for column in model["columns"]}
        for path in sorted((PROJECT / "models" / "omop").glob("*.yml"))
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", [])
    }
