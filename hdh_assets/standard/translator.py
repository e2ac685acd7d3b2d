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

    def __init__(self, datasets: Mapping[str, Dataset], checked: Mapping[str, str]) -> None:
        """`checked` says of nodes which checks look at them, see `where_checked`."""
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True))
        self._datasets, self._checked = datasets, checked

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
        """The model's words, and of a CDM table which checks look at it: most are shown on the page of another."""
        words = str(dbt_resource_props.get("description") or dbt_resource_props["name"])
        checked = self._checked.get(dbt_resource_props["unique_id"])
        return f"{words}\n\n{checked}" if checked and key_of(dbt_resource_props).layer == "omop" else words

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


def where_checked(manifest: Mapping[str, Any]) -> dict[str, str]:
    """A sentence for each node that checks look at: which, and on whose page they are. By unique id of the node."""
    shown: dict[str, dict[str, list[str]]] = {}
    for node in sorted(manifest["nodes"].values(), key=lambda node: str(node["name"])):
        if node["resource_type"] == "test" and (page := node["config"]["meta"].get("dagster", {}).get("ref")):
            for parent in node["depends_on"]["nodes"]:
                is_own = parent.split(".")[-1] == page["name"]
                where = "on this page" if is_own else f"on the page of {page['name']}"
                shown.setdefault(parent, {}).setdefault(where, []).append(node["name"])
    return {name: f"Checks that look at it: {_listed(pages)}." for name, pages in shown.items()}


def _listed(pages: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{', '.join(tests)} ({where})" for where, tests in sorted(pages.items()))


def _reads_cdm(props: Mapping[str, Any]) -> bool:
    parents = [node.split(".") for node in props.get("depends_on", {}).get("nodes", ())]
    return any(kind == "model" and not name.startswith(("stg_", "int_")) for kind, *_, name in parents)
