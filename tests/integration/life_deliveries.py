"""What producers have to deliver in a hub's life: one small population, its periods, and corrections of them."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.sources.synth.generate import generate

PERIODS = {
    "snds_beneficiaries": ("2024-01", "2024-02", "2024-03"),
    "snds_dcir": ("2024-01", "2024-02", "2024-03"),
    "hospital_ehr": ("2024-01", "2024-02"),
    "commune_context": ("2023", "2024"),
}


def make_population(out: Path, persons: int = 10) -> Path:
    """What producers have to deliver, one folder per dataset and period."""
    for name, periods in PERIODS.items():
        generate(load_datasets(), [name], persons=persons, first=periods[0], last=periods[-1], seed=11, out=out)
    return out


def identifiers(made: Path) -> list[tuple[str, str, str]]:
    """Kind, identifier and rank by which persons may object."""
    found = []
    for row in _rows(made / "snds_beneficiaries" / "2024-01" / "IR_BEN_R.csv", ";"):
        found.append(("snds_psa", row["BEN_NIR_PSA"], row["BEN_RNG_GEM"]))
        found += [("snds_nir", row["BEN_NIR_ANO"], "")] if row["BEN_NIR_ANO"] else []
    for row in _rows(made / "hospital_ehr" / "2024-01" / "patients.csv", ","):
        found.append(("ehr_patient", row["Id"], ""))
        found += [("nir", row["SSN"], "")] if row["SSN"] else []
    return found


def _rows(path: Path, delimiter: str) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def correct(folder: Path, dataset: Dataset, chance: random.Random) -> str:
    """Change a delivery as a correction would: values of a column between rows, or rows that nothing hangs on."""
    files = {path.stem.lower(): path for path in folder.glob("*.csv")}
    done = []
    for _ in range(3):
        table = chance.choice([t for t in dataset.tables if t.name.lower() in files])
        path = files[table.name.lower()]
        with path.open(encoding=dataset.format.encoding, newline="") as file:
            header, *rows = list(csv.reader(file, delimiter=dataset.format.delimiter))
        is_leaf = not any(key.table == table.name for other in dataset.tables for key in other.foreign_keys)
        if is_leaf and dataset.id != "snds_beneficiaries" and chance.random() < 0.5:
            kept = [row for row in rows if chance.random() > 0.3]
            done.append(f"{table.name} -{len(rows) - len(kept)}")
            rows = kept
        else:
            names = _free(table)
            at = [n for n, name in enumerate(header) if name in names]
            if not at:
                continue
            column = chance.choice(at)
            values = [row[column] for row in rows]
            chance.shuffle(values)
            for row, value in zip(rows, values, strict=True):
                row[column] = value
            done.append(f"{table.name}.{header[column]} shuffled")
        with path.open("w", encoding=dataset.format.encoding, newline="") as file:
            writer = csv.writer(file, delimiter=dataset.format.delimiter, lineterminator="\n")
            writer.writerows([header, *rows])
    return ", ".join(done)


def _free(table: Table) -> set[str]:
    """Columns that neither number a row or a person nor point to another."""
    keys = {*table.primary_key, *(column for key in table.foreign_keys for column in key.columns)}
    return {c.name for c in table.columns if c.name not in keys and not c.identifier_type and c.is_in_lake}
