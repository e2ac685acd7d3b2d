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
        """The model's words."""
        return str(dbt_resource_props.get("description") or dbt_resource_props["name"])

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """What dagster-dbt says of columns, and the model's SQL where it says something."""
        code = (dbt_resource_props.get("raw_code") or "").strip()
        is_worth_reading = dbt_resource_props["resource_type"] == "model" and code and "{{ fragments(" not in code
        sql = {"sql": dg.MetadataValue.md(f"```sql\n{code}\n```")} if is_worth_reading else {}
        return {**super().get_metadata(dbt_resource_props), **sql}

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetCheckSpec | None:
        """A check of the model it is about, in its words; `data_tests.yml` names the model of a test across tables."""
        found = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if found is None:
            return None
        test = manifest["nodes"][unique_id]
        return dg.AssetCheckSpec(
            name=found.name,
            asset=asset_spec.key,
            description=test.get("description") or found.name.replace("_", " "),
            blocking=found.blocking,
        )


def _reads_cdm(props: Mapping[str, Any]) -> bool:
    parents = [node.split(".") for node in props.get("depends_on", {}).get("nodes", ())]
    return any(kind == "model" and not name.startswith(("stg_", "int_")) for kind, *_, name in parents)
