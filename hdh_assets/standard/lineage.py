"""Which delivered tables a table of dbt is made from, as dbt knows it.

The models that only say which rows to compute again (the scope, ADR 0002) read nearly everything and give no value:
they are not followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hdh_assets.standard.manifest import MANIFEST, read_manifest
from hdh_assets.standard.sources_yml import read_project_file

_SCOPE = "int_hub__scope"
_HUB = "hub"
"""The source of the hub's own notes, which is no dataset."""


@cache
def delivered_tables(model: str, manifest: Path = MANIFEST) -> frozenset[tuple[str, str]]:
    """(dataset, table) of every delivered table whose values may reach that model, a CDM table for one.

    None for what seeds alone give, or for what is no model. Raises `ConfigurationError` when there is no dbt manifest.
    """
    (nodes, by_name), passed_over = _nodes(manifest), _scopes()
    waiting, seen, found = [by_name[model]] if model in by_name else [], set[str](), set[tuple[str, str]]()
    while waiting:
        name = waiting.pop()
        node = nodes[name]
        if name in seen or node["name"] in passed_over:
            continue
        seen.add(name)
        if node["resource_type"] == "source":
            found.add((node["source_name"], node["name"]))
        waiting += node.get("depends_on", {}).get("nodes", ())
    return frozenset((dataset, table) for dataset, table in found if dataset != _HUB)


@cache
def _nodes(manifest: Path) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Every node by dbt's own name of it, and that name by the model's."""
    content = read_manifest(manifest)
    models = {node["name"]: name for name, node in content["nodes"].items() if node["resource_type"] == "model"}
    return {**content["nodes"], **content["sources"]}, models


@cache
def _scopes() -> frozenset[str]:
    return frozenset({_SCOPE, *read_project_file("dbt_project.yml")["vars"]["scopes"]})
