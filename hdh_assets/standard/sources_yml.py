"""The dbt sources, derived from the descriptors: one dbt source per dataset, one table per delivered table.

Of the datasets that have models alone: what an installation describes beside them is nothing to dbt, and the file lies
with the code, where the hub's account need not be allowed to write.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.files import write_atomically

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SOURCES_FILE = PROJECT / "models" / "staging" / "_sources.yml"
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HEADER = "# Generated from the descriptors; do not edit.\n"


def write_sources(datasets: Iterable[Dataset], path: Path = SOURCES_FILE) -> bool:
    """Write the sources file of these datasets; True when it changed. Atomic, so that a reader never sees half."""
    text = render_sources(datasets)
    if path.exists() and path.read_text("utf-8") == text:
        return False
    write_atomically(path, text.encode("utf-8"), is_durable=False)
    return True


def read_project_file(name: str) -> dict[str, Any]:
    """What a YAML file of the dbt project says; `name` is its path in it."""
    content: dict[str, Any] = yaml.load((PROJECT / name).read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    return content


def fed_datasets() -> set[str]:
    """Datasets that have staging models, hence feed OMOP."""
    return {path.name for path in (PROJECT / "models" / "staging").iterdir() if path.is_dir()}


def render_sources(datasets: Iterable[Dataset]) -> str:
    """The sources file as text, in id order whatever the order given."""
    fed = fed_datasets()
    sources = [_source(dataset) for dataset in sorted(datasets, key=lambda each: each.id) if dataset.id in fed]
    body = yaml.dump({"sources": sources}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)
    return _HEADER + body


def _source(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.id,
        "database": "lake",
        "schema": dataset.id,
        "description": dataset.description.en,
        "tables": [_table(table) for table in dataset.tables],
    }


def _table(table: Table) -> dict[str, Any]:
    columns = [
        {"name": column.lake_name, "data_type": column.duckdb_type.lower(), "description": column.description.en}
        for column in table.lake_columns
    ]
    return {"name": table.lake_name, "description": table.description.en, "columns": columns}
