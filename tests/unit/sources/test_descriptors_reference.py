"""The descriptors against published layouts and a real export, where these are at hand beside the project."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.sources.intake.row_rules import checks, valid_sql

pytestmark = pytest.mark.reference

DATASETS = load_datasets()
SNDS_TABLES = [t for dataset in ("snds_dcir", "snds_beneficiaries") for t in DATASETS[dataset].tables]
SYNTHEA = "OHDSI+dbt-synthea/synthea_csv"
EXTRACTION = "X-DataInitiative+SCALPEL-Flattening/sample_csv"


@pytest.fixture(scope="module")
def published(reference: Path) -> dict[str, set[str]]:
    """Column names by table, as published."""
    found: dict[str, set[str]] = {}
    with (reference / "snds_columns_selected.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["table"], set()).add(row["column"])
    found["IR_BEN_R_ARC"] = found["IR_BEN_R"]
    return found


@pytest.mark.parametrize("table", SNDS_TABLES, ids=lambda table: table.name)
def test_snds_tables_have_exactly_the_published_columns(table, published) -> None:  # type: ignore[no-untyped-def]
    assert {column.name for column in table.columns} == published[table.name]


@pytest.mark.parametrize("table", DATASETS["hospital_ehr"].tables, ids=lambda table: table.name)
def test_a_real_synthea_export_has_exactly_the_described_header(table, reference: Path) -> None:  # type: ignore[no-untyped-def]
    header = (reference / SYNTHEA / f"{table.name}.csv").read_text("utf-8").splitlines()[0]
    assert header.split(",") == [column.name for column in table.columns]


def test_a_real_synthea_export_has_no_other_file(reference: Path) -> None:
    files = {path.stem for path in (reference / SYNTHEA).glob("*.csv")}
    assert files == {table.name for table in DATASETS["hospital_ehr"].tables}


@pytest.mark.parametrize("table", SNDS_TABLES, ids=lambda table: table.name)
def test_a_project_extraction_has_known_columns_and_lacks_only_optional_ones(table, reference: Path) -> None:  # type: ignore[no-untyped-def]
    path = reference / EXTRACTION / f"{table.name}.csv"
    if not path.is_file():
        pytest.skip("no such file in the sample")
    header = {name.lower() for name in path.read_text("utf-8").splitlines()[0].split(";")}
    spellings = {s.lower(): column for column in table.columns for s in (column.name, *column.aliases)}
    assert header <= set(spellings)
    missing = set(table.by_name) - {spellings[name].lake_name for name in header}
    assert not [name for name in missing if not table.by_name[name].optional]


@pytest.mark.parametrize("table", SNDS_TABLES, ids=lambda table: table.name)
def test_rows_of_a_project_extraction_obey_the_descriptor(table, reference: Path) -> None:  # type: ignore[no-untyped-def]
    path = reference / EXTRACTION / f"{table.name}.csv"
    if not path.is_file():
        pytest.skip("no such file in the sample")
    dataset = next(d for d in DATASETS.values() if table in d.tables)
    spellings = {s.lower(): column for column in table.columns for s in (column.name, *column.aliases)}
    present = tuple(spellings[name.lower()] for name in path.read_text("utf-8").splitlines()[0].split(";"))
    columns = ", ".join(f"'{column.lake_name}': 'VARCHAR'" for column in present)
    con = duckdb.connect()
    con.execute(
        f"CREATE TABLE delivered AS SELECT * FROM read_csv('{path}', columns = {{{columns}}}, header = true, "
        f"auto_detect = false, delim = ';', quote = '', escape = '')"
    )
    rules = valid_sql(checks(table, present, dataset.format))
    counted = con.execute(f"SELECT count(*), count(*) FILTER ({rules}) FROM delivered").fetchone()
    assert counted is not None
    assert counted[0] == counted[1] > 0
