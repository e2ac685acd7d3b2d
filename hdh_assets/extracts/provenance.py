"""Which deliveries a table of the lake comes from: the link between an extract's bytes and a producer's files.

Exact to the delivery for delivered tables. For a CDM table: every current delivery of the datasets its models read,
found by following `ref` and `source` through the dbt project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb
import yaml

from hdh_assets.standard.sources_yml import PROJECT

_REF = re.compile(r"ref\(\s*['\"](\w+)['\"]\s*\)")
_SOURCE = re.compile(r"source\(\s*['\"](\w+)['\"]\s*,\s*['\"](\w+)['\"]\s*\)")
_DATASET = re.compile(r"^(?:stg|int)_(\w+?)__")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Delivery:
    """A delivery as the lake remembers it. `files` are dicts with name, size, rows and sha256."""

    digest: str
    dataset: str
    period: str
    producer: str
    status: str
    files: tuple[dict[str, Any], ...]

    def summary(self) -> dict[str, Any]:
        """What a manifest says of it."""
        files = [{"name": file["name"], "sha256": file["sha256"]} for file in self.files]
        return {"dataset": self.dataset, "period": self.period, "producer": self.producer, "files": files}


def deliveries(engine: duckdb.DuckDBPyConnection, *, only_current: bool = True) -> list[Delivery]:
    """Deliveries known at the connection's snapshot, by dataset and period; none when nothing was ever delivered."""
    found = engine.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = 'meta' "
        "AND table_name = 'delivery'"
    ).fetchall()
    if not found[0][0]:
        return []
    where = "WHERE status = 'current'" if only_current else ""
    rows = engine.execute(
        "SELECT digest, dataset, period, producer, status, files FROM lake.meta.delivery "
        f"{where} ORDER BY dataset, period, digest"
    ).fetchall()
    return [
        Delivery(digest, dataset, period, producer, status, tuple(json.loads(files or "[]")))
        for digest, dataset, period, producer, status, files in rows
    ]


def feeding(table: str, known: Iterable[Delivery]) -> list[Delivery]:
    """Those of the `known` deliveries that feed the lake table `schema.name`."""
    schema, _, name = table.partition(".")
    if schema == "omop":
        datasets = datasets_of(name)
        return [delivery for delivery in known if delivery.dataset in datasets]
    return [delivery for delivery in known if delivery.dataset == schema and _files_of(name, delivery)]


def _files_of(table: str, delivery: Delivery) -> list[dict[str, Any]]:
    pattern = re.compile(rf"{re.escape(table)}([_-]?\d+)?\.", re.IGNORECASE)
    return [file for file in delivery.files if pattern.match(str(file["name"]))]


def datasets_of(cdm_table: str) -> frozenset[str]:
    """Datasets whose delivered tables a CDM table is made from, by the names and the text of its models."""
    seen: set[str] = set()
    waiting = [cdm_table]
    found: set[str] = set()
    while waiting:
        model = waiting.pop()
        if model in seen:
            continue
        seen.add(model)
        found |= set(_DATASET.findall(model))
        text = _models()[model].read_text("utf-8") if model in _models() else ""
        found |= {dataset for dataset, _ in _SOURCE.findall(text)}
        waiting += [*_REF.findall(text), *_fragments().get(model, ())]
    return frozenset(found)


@cache
def _models() -> dict[str, Any]:
    return {path.stem: path for path in (PROJECT / "models").rglob("*.sql")}


@cache
def _fragments() -> dict[str, list[str]]:
    """Models that feed each CDM table (`fragments` of dbt_project.yml)."""
    content = yaml.load((PROJECT / "dbt_project.yml").read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    return dict(content.get("vars", {}).get("fragments", {}))
