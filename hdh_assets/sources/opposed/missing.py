"""Deliveries in which nobody can be looked up, since the vault lost what they told of identities."""

from __future__ import annotations

import json
from collections.abc import Mapping

import duckdb

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.opposition import looked_up
from resources.lake import has_table
from resources.lake_tables import deliveries
from resources.vault import Vault


def missing_identities(
    engine: duckdb.DuckDBPyConnection, vault: Vault, datasets: Mapping[str, Dataset], identifier_type: str = ""
) -> list[str]:
    """Deliveries in force whose identities the vault should have and has not, as `dataset period`.

    With `identifier_type`, only where that kind is looked up. Nobody is found in them by what never enters the lake.
    """
    looked_up = {
        dataset.id: [table.lake_name for table in dataset.tables if _is_looked_up(table, identifier_type)]
        for dataset in datasets.values()
    }
    return [
        f"{row.dataset} {row.period}"
        for row in (deliveries(engine) if has_table(engine, "meta", "delivery") else ())
        if row.status == "current"
        for table in looked_up.get(row.dataset, ())
        if table in json.loads(row.tables) and not vault.identities(row.dataset, table, str(row.delivery_id)).exists()
    ]


def _is_looked_up(table: Table, identifier_type: str) -> bool:
    kinds = {column.identifier_type for column in looked_up(table)}
    return bool(kinds) and (not identifier_type or identifier_type in kinds)
