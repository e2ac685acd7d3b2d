"""The standardisation report of a release: what is not in OMOP, with the reason, and how many codes are mapped.

Counts only. Read from the lake as the release saw it, when somebody asks: making a release does not pay for it.
"""

from __future__ import annotations

from typing import Any

from resources.lake import Lake
from resources.releases import Release

_PARTS = {
    "left_out": ("int_hub__dropped", "dataset, rule, reason, dropped_rows AS rows"),
    "mapped": (
        "int_hub__vocabulary_coverage",
        "dataset, source_vocabulary_id AS code_list, coded_rows AS rows, mapped_rows, codes, mapped_codes",
    ),
}


def standardisation_report(lake: Lake, release: Release) -> dict[str, list[dict[str, Any]]]:
    """`left_out`: rows by dataset, rule of SNDS.md and reason. `mapped`: rows and distinct codes by code list.

    Both are empty for a release made before the lake could tell.
    """
    with lake.reader(snapshot=release.snapshot_id) as engine:
        views = {
            name
            for (name,) in engine.execute(
                "SELECT view_name FROM duckdb_views() WHERE database_name = 'lake' AND schema_name = 'staging'"
            ).fetchall()
        }
        return {
            part: engine.execute(f"SELECT {columns} FROM lake.staging.{view} ORDER BY ALL").to_arrow_table().to_pylist()
            if view in views
            else []
            for part, (view, columns) in _PARTS.items()
        }
