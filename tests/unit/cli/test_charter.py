"""The charter that producers go by: the dialect of files, and every column of a table."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hdh_assets.cli.charter import column_row, format_words, show_table
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import HubError

DATASETS = load_datasets()
DCIR = DATASETS["snds_dcir"]
FIFTH = Path(__file__).parents[2] / "e2e" / "fifth.yaml"


def run(home: Path, *words: str) -> str:
    command = [sys.executable, "-m", "hdh_assets.cli", "--home", str(home), "dataset", "show", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_every_column_of_a_table_is_shown_with_what_a_file_must_hold(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    shutil.copy(FIFTH, tmp_path / "datasets" / "scales.yaml")
    shown = " ".join(run(tmp_path, "scale_readings", "readings").split())
    for said in (
        "separator ';'", 'quotes "', "utf-8", "dates %d/%m/%Y", "decimal ','", "columns in any order",
        "READING_ID", "USER_ID", "WEIGHED_ON", "WEIGHT_KG", "POSTURE", "scale_user", "Jour de la pesée",
    ):  # fmt: skip
        assert said in shown
    told = json.loads(run(tmp_path, "scale_readings", "READINGS", "--json"))
    assert [column["name"] for column in told["columns"]][:2] == ["READING_ID", "USER_ID"]
    assert "dataset show scale_readings READINGS" in " ".join(run(tmp_path, "scale_readings").split())


def test_a_column_is_told_with_its_type_form_codes_role_and_meaning() -> None:
    table = DATASETS["hospital_ehr"].by_name["patients"]
    rows = {column.name: column_row(DATASETS["hospital_ehr"], table, column) for column in table.columns}
    assert rows["Id"]["filled"] == "always"
    assert rows["Id"]["role"] == "person_key (ehr_patient)"
    prestations = DCIR.by_name["er_prs_f"]
    begun = column_row(DCIR, prestations, prestations.by_name["exe_soi_dtd"])
    assert "dd/mm/yyyy" in begun["type"]
    assert "jj/mm/aaaa" in begun["type"]


def test_the_order_of_columns_and_the_lack_of_quotes_are_told() -> None:
    form = DCIR.format.model_copy(update={"column_order": "declared", "quote": None})
    words = format_words(DCIR.model_copy(update={"format": form}))
    assert "no quotes" in words
    assert words.endswith("columns in the order listed")


def test_an_unknown_table_is_answered_with_those_that_exist() -> None:
    with pytest.raises(HubError) as caught:
        show_table(DCIR, "er_xyz_f", as_json=False)
    assert caught.value.remedy == f"choose one of: {', '.join(table.name for table in DCIR.tables)}"
