"""The one grammar of names: from an asset key to its lake table, and to the key from a delivered table or a dbt model.

An asset key has three lower-case parts `[layer, domain, table]`:

| layer    | domain                       | lake table                         |
|----------|------------------------------|------------------------------------|
| sources  | dataset                      | `<dataset>.<table>`                |
| linked   | subject                      | `linked.<table>`                   |
| staging  | dataset                      | `staging.<dbt model>`              |
| omop     | group of CDM tables          | `omop.<table>`                     |
| catalog  | kind of entry                | `catalog.<table>`                  |
| extracts | project                      | none: Parquet in the project space |

Nothing here touches Dagster, dbt or the lake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Layer = Literal["sources", "linked", "staging", "omop", "catalog", "extracts"]
LAYERS: tuple[str, ...] = get_args(Layer)

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*\Z")

OMOP_DOMAINS: dict[str, tuple[str, ...]] = {
    "clinical": (
        "person",
        "observation_period",
        "visit_occurrence",
        "visit_detail",
        "condition_occurrence",
        "drug_exposure",
        "procedure_occurrence",
        "device_exposure",
        "measurement",
        "observation",
        "death",
        "note",
        "note_nlp",
        "specimen",
        "fact_relationship",
    ),
    "health_system": ("location", "care_site", "provider"),
    "health_economics": ("payer_plan_period", "cost"),
    "derived": ("drug_era", "dose_era", "condition_era", "episode", "episode_event"),
    "metadata": ("metadata", "cdm_source"),
    "vocabulary": (
        "concept",
        "vocabulary",
        "domain",
        "concept_class",
        "concept_relationship",
        "relationship",
        "concept_synonym",
        "concept_ancestor",
        "source_to_concept_map",
        "drug_strength",
    ),
    "results": ("cohort", "cohort_definition"),
}
"""The 39 tables of OMOP CDM 5.4 by group. Source: OHDSI CommonDataModel, table-level specification of 5.4."""

_OMOP_DOMAIN_OF = {table: domain for domain, tables in OMOP_DOMAINS.items() for table in tables}


@dataclass(frozen=True, order=True)
class LakeTable:
    """A table or view of the lake, as `schema.name`."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """The quoted, fully qualified name to use in SQL."""
        return f'lake."{self.schema}"."{self.name}"'


@dataclass(frozen=True, order=True)
class Key:
    """An asset key of the hub: `layer/domain/table`, each part a lower-case identifier."""

    layer: str
    domain: str
    table: str

    def __post_init__(self) -> None:
        if self.layer not in LAYERS:
            raise ValueError(f"layer must be one of {', '.join(LAYERS)}; found {self.layer!r}")
        for part in (self.domain, self.table):
            if not IDENTIFIER.match(part):
                raise ValueError(f"key part {part!r} must be lower-case letters, digits and underscores")

    def __str__(self) -> str:
        return "/".join(self.parts)

    @property
    def parts(self) -> tuple[str, str, str]:
        """The three parts, as Dagster's `AssetKey` takes them."""
        return (self.layer, self.domain, self.table)

    @property
    def lake_table(self) -> LakeTable | None:
        """Where the asset's rows are in the lake; None for an extract."""
        match self.layer:
            case "sources":
                return LakeTable(self.domain, self.table)
            case "extracts":
                return None
            case layer:
                return LakeTable(layer, self.table)


def source_key(dataset: str, table: str) -> Key:
    """Key of a delivered table. `table` is the producer's name in any case."""
    return Key("sources", dataset, table.lower())


def omop_key(table: str) -> Key:
    """Key of a CDM table; `KeyError` when CDM 5.4 has no such table."""
    return Key("omop", _OMOP_DOMAIN_OF[table], table)


def catalog_key(dataset: str) -> Key:
    """Key of a dataset's catalogue entry."""
    return Key("catalog", "datasets", dataset)


def extract_key(project: str, table: str) -> Key:
    """Key of one table of a project's extract."""
    return Key("extracts", project, table)


def dbt_model_key(model: str) -> Key:
    """Key of a dbt model from its name.

    `stg_<dataset>__<table>` and `int_<dataset>__<entity>` are staging models of the dataset;
    any other name must be a CDM table.
    """
    prefix, _, rest = model.partition("_")
    dataset, separator, _ = rest.partition("__")
    if prefix in {"stg", "int"} and separator:
        return Key("staging", dataset, model)
    return omop_key(model)


def dbt_source_key(schema: str, table: str) -> Key:
    """Key of a dbt source: the schema of a delivered table is its dataset."""
    return source_key(schema, table)
