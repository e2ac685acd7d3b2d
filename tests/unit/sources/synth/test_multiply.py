"""Multiplying an export: as many patients as asked, nothing shared between copies but the hospitals."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks.synthea_multiply import multiply
from tests.unit.sources.synth.deliveries import DATASETS, made, one, opened

EHR = DATASETS["hospital_ehr"]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (folder,) = made(tmp_path_factory.mktemp("export"), "hospital_ehr", persons=40)
    return folder


def read(folder: Path) -> duckdb.DuckDBPyConnection:
    return opened(folder, EHR)


def test_one_copy_is_the_export_itself(export: Path, tmp_path: Path) -> None:
    multiply(export, tmp_path / "one", 1)
    for table in EHR.tables:
        name = f"{table.name}.csv"
        assert (tmp_path / "one" / name).read_bytes() == (export / name).read_bytes(), name


def test_every_table_of_patients_is_multiplied_and_the_others_are_not(export: Path, tmp_path: Path) -> None:
    rows = multiply(export, tmp_path / "five", 5)
    before, after = read(export), read(tmp_path / "five")
    for table in EHR.tables:
        counted = one(before, f"SELECT count(*) FROM {table.lake_name}")
        expected = counted * (5 if table.person_keys else 1)
        assert one(after, f"SELECT count(*) FROM {table.lake_name}") == rows[f"{table.name}.csv"] == expected


def test_keys_stay_unique_and_lead_to_the_copy_they_belong_to(export: Path, tmp_path: Path) -> None:
    multiply(export, tmp_path / "three", 3)
    con = read(tmp_path / "three")
    for table in EHR.tables:
        if table.primary_key:
            assert one(con, f"SELECT count(*) - count(DISTINCT {table.primary_key[0]}) FROM {table.lake_name}") == 0
        for key in table.foreign_keys:
            here, there = key.columns[0], key.target_columns[0]
            orphans = f'SELECT count(*) FROM {table.lake_name} c WHERE "{here}" IS NOT NULL AND NOT EXISTS '
            assert one(con, orphans + f'(SELECT 1 FROM {key.table} p WHERE p."{there}" = c."{here}")') == 0
    assert one(con, "SELECT count(*) - count(DISTINCT ssn) FROM patients") == 0
    assert (
        one(
            con,
            "SELECT count(*) FROM conditions c JOIN encounters e ON e.id = c.encounter WHERE e.patient <> c.patient",
        )
        == 0
    )


@pytest.mark.reference
def test_a_real_export_is_multiplied_without_changing_its_layout(reference: Path, tmp_path: Path) -> None:
    source = reference / "OHDSI+dbt-synthea/synthea_csv"
    multiply(source, tmp_path / "one", 1)
    for table in EHR.tables:
        assert (tmp_path / "one" / f"{table.name}.csv").read_bytes() == (source / f"{table.name}.csv").read_bytes()
