"""Reading loaded definitions: what a location executes, and the graph as a snapshot."""

from __future__ import annotations

from typing import Any

import dagster as dg


def own_specs(found: dg.Definitions) -> list[dg.AssetSpec]:
    graph = found.resolve_asset_graph()
    return [spec for spec in found.resolve_all_asset_specs() if graph.get(spec.key).is_executable]


def snapshot(found: dg.Definitions) -> dict[str, Any]:
    """What a change of the graph must show in review."""
    graph = found.resolve_asset_graph()
    return {
        spec.key.to_user_string(): {
            "group": spec.group_name,
            "deps": sorted(key.to_user_string() for key in graph.get(spec.key).parent_keys),
            "checks": len(graph.get(spec.key).check_keys),
        }
        for spec in sorted(own_specs(found), key=lambda each: each.key)
    }
