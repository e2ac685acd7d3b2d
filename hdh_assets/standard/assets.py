"""The dbt project as assets: staging, fragments and the 39 OMOP tables. A wrapper: the work is `runner.standardise`.

Loading reads the manifest that `make setup` and `hdh check --deep` write; dbt itself never runs then.
"""

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.tags import BACKFILL_ID_TAG

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.tags import LAKE_POOL
from hdh_assets.standard.light_dagster_dbt import dbt_assets
from hdh_assets.standard.manifest import MANIFEST, read_manifest
from hdh_assets.standard.runner import Node, StandardiseResult, standardise
from hdh_assets.standard.translator import HubTranslator, key_of, where_checked
from resources.failures import told_to_dagster
from resources.hub import Hub


class Standardise(dg.Config):
    """How much to compute."""

    full: bool = False
    """Compute every row again from the deliveries."""


def standard_assets(datasets: Mapping[str, Dataset], manifest: Path = MANIFEST) -> dg.AssetsDefinition:
    """Every dbt model and seed, with its tests as checks.

    Raises `ConfigurationError` when the manifest was never made.
    """
    content = read_manifest(manifest)

    @dbt_assets(
        manifest=content,
        dagster_dbt_translator=HubTranslator(datasets, where_checked(content)),
        name="run_dbt",
        pool=LAKE_POOL,
    )
    def standardise_deliveries(context: dg.AssetExecutionContext, hub: Hub, config: Standardise) -> Iterator[Any]:
        """Bring staging and OMOP up to date with the deliveries in the lake."""
        with told_to_dagster():
            result = standardise(hub.home, hub.settings, full=config.full, on_event=lambda node: _log(context, node))
        yield from _results(context, content, result)

    return standardise_deliveries


def _results(context: dg.AssetExecutionContext, manifest: dict[str, Any], result: StandardiseResult) -> Iterator[Any]:
    """A materialisation per CDM table, rebuilt or found up to date, and per other model that ran; tests as checks.

    A backfill takes what it asked for and did not get for a failure: it gets a materialisation of each.
    """
    ran = {node.name: node for node in result.nodes}
    context.log.info(f"{len(ran)} dbt nodes ran in {result.seconds} s" if ran else "nothing to do: all is up to date")
    is_backfill = BACKFILL_ID_TAG in context.run.tags
    for node in _in_order(manifest):
        key = dg.AssetKey(list(key_of(node).parts))
        if key in context.selected_asset_keys and (key.path[0] == "omop" or node["name"] in ran or is_backfill):
            yield dg.MaterializeResult(asset_key=key, metadata=_facts(node["name"], ran, result))
    yield from _checks(context, ran)


def _in_order(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Models and seeds that are assets, each after those it reads, as Dagster wants them yielded."""
    nodes = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] in {"model", "seed"}}
    upstream = {
        name: [n for n in node.get("depends_on", {}).get("nodes", ()) if n in nodes] for name, node in nodes.items()
    }
    for name in TopologicalSorter(upstream).static_order():
        if nodes[name]["config"]["materialized"] != "ephemeral":
            yield nodes[name]


def _facts(name: str, ran: Mapping[str, Node], result: StandardiseResult) -> dict[str, Any]:
    facts: dict[str, Any] = {"rebuilt": name in ran}
    if name in ran:
        facts["seconds"] = ran[name].seconds
    if name in result.tables:
        facts["dagster/row_count"] = result.tables[name]
    return facts


def _checks(context: dg.AssetExecutionContext, ran: Mapping[str, Node]) -> Iterator[dg.AssetCheckResult]:
    """Results of the tests that ran. Raises `dagster.Failure` for a failed test that no asset shows."""
    shown = {key.name: key for key in context.selected_asset_check_keys}
    for name, key in shown.items():
        if name in ran:
            node = ran[name]
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=name,
                passed=node.is_good and not node.failures,
                severity=dg.AssetCheckSeverity.WARN if node.is_good else dg.AssetCheckSeverity.ERROR,
                metadata={"rows concerned": node.failures, "seconds": node.seconds},
            )
    if hidden := [name for name, node in ran.items() if node.kind == "test" and not node.is_good and name not in shown]:
        raise dg.Failure(description=f"dbt tests failed: {', '.join(sorted(hidden))}", allow_retries=False)


def _log(context: dg.AssetExecutionContext, node: Node) -> None:
    level = context.log.debug if node.is_good else context.log.error
    level(f"{node.kind} {node.name}: {node.status} in {node.seconds} s")
