"""How a dbt model shows in the asset graph: key, group, owner, tags and words, from the hub's one grammar of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.keys import Key, dbt_model_key, dbt_source_key
from hdh_assets.core.tags import dataset_tags, layer_tags
from hdh_assets.standard.light_dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

OWNER = "team:standardisation"
SEEDS = "seeds"
_CENTRAL = ("person", "visit_occurrence")


def key_of(props: Mapping[str, Any]) -> Key:
    """The asset key of a dbt node. A seed is `staging/seeds/<name>`."""
    match props["resource_type"]:
        case "source":
            return dbt_source_key(props["source_name"], props["name"])
        case "seed":
            return Key("staging", SEEDS, props["name"])
        case _:
            return dbt_model_key(props["name"])


class HubTranslator(DagsterDbtTranslator):
    """Names dbt's nodes as the rest of the hub does."""

    def __init__(self, datasets: Mapping[str, Dataset]) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True))
        self._datasets = datasets

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """From the model's name."""
        return dg.AssetKey(list(key_of(dbt_resource_props).parts))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Layer and domain; what the hub derives from CDM tables stands with them, so that lineage reads one way."""
        key = key_of(dbt_resource_props)
        return f"omop/{key.domain}" if _reads_cdm(dbt_resource_props) else f"{key.layer}/{key.domain}"

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        """The dataset's owner for its staging models, the standardisation team for the rest."""
        dataset = self._datasets.get(key_of(dbt_resource_props).domain)
        return [dataset.owner if dataset else OWNER]

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """The dataset's tags for its staging models."""
        key = key_of(dbt_resource_props)
        dataset = self._datasets.get(key.domain)
        return dataset_tags(dataset, key.layer) if dataset else layer_tags(key.layer)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The model's words, then its SQL where it says something."""
        words = dbt_resource_props.get("description") or dbt_resource_props["name"]
        code = (dbt_resource_props.get("raw_code") or "").strip()
        is_worth_reading = dbt_resource_props["resource_type"] == "model" and "fragments()" not in code and code
        return f"{words}\n\n```sql\n{code}\n```" if is_worth_reading else str(words)

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetCheckSpec | None:
        """A test of one model is a check of it; a test across tables is a check of the central one."""
        found = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        test = manifest["nodes"][unique_id]
        if found is not None or asset_spec.key != self._subject(manifest, test):
            return found
        return dg.AssetCheckSpec(
            name=test["name"],
            asset=asset_spec.key,
            description=test.get("description") or test["name"].replace("_", " "),
            blocking=(test["config"].get("severity") or "error").lower() == "error",
        )

    def _subject(self, manifest: Mapping[str, Any], test: Mapping[str, Any]) -> dg.AssetKey | None:
        """The table that shows a test across tables: `person` or `visit_occurrence` when it reads them."""
        read = sorted(node.rpartition(".")[2] for node in test["depends_on"]["nodes"] if node in manifest["nodes"])
        chosen = next((name for name in (*_CENTRAL, *read) if name in read), None)
        return dg.AssetKey(list(dbt_model_key(chosen).parts)) if chosen else None


def _reads_cdm(props: Mapping[str, Any]) -> bool:
    parents = [node.split(".") for node in props.get("depends_on", {}).get("nodes", ())]
    return any(kind == "model" and not name.startswith(("stg_", "int_")) for kind, *_, name in parents)
