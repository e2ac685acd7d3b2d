"""A hub that took generated SNDS deliveries in and standardised them, beside what the rules make of the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intake_world import World
from snds_cases import FLUXES, Row, make_cases
from snds_oracle_dcir import Dcir
from snds_oracle_reference import Reference

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.standard.runner import standardise

ALIASES = {"BEN_NIR_PSA": "NUM_ENQ", "BEN_NIR_ANO": "NUM_ENQ_ANO"}


class Both:
    """One hub that took the cases in, and the oracle that read them."""

    def __init__(self, root: Path, seed: int) -> None:
        cases, datasets = make_cases(seed), load_datasets()
        self.world = World.create(root, *datasets.values())
        self._drop(datasets["snds_beneficiaries"], "2024-04", cases.beneficiaries)
        for flux in FLUXES:
            self._drop(datasets["snds_dcir"], flux, cases.fluxes[flux])
        self.receipts = self.world.tick()
        self.result = standardise(self.world.home, self.world.settings)
        self.cases = cases
        self.reference = Reference(cases.beneficiaries)
        self.dcir = Dcir(cases, self.reference)

    def _drop(self, dataset: Dataset, period: str, tables: dict[str, list[Row]]) -> None:
        files = {f"{table.name}.csv": _csv(dataset, table.name, tables.get(table.name, [])) for table in dataset.tables}
        self.world.drop(files, period, of=dataset.id)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.world.rows(sql)


def _csv(dataset: Dataset, table: str, rows: list[Row]) -> str:
    """The file of a table: every column, pseudonyms under the names extractions give them (rule 19)."""
    names = [column.name for column in dataset.by_name[table.lower()].columns]
    lines = [";".join(ALIASES.get(name, name) for name in names)]
    return "\n".join([*lines, *(";".join(row.get(name, "") for name in names) for row in rows), ""])
