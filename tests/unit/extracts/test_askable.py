"""What a dossier may ask for, as its author is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hdh_assets.cli.projects import project_app
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import RefusedError
from hdh_assets.extracts.askable import askable_columns, askable_tables, emptied
from hdh_assets.extracts.deliverable import deliverable
from tests.extract_hub import dossier, write_dossier

DATASETS = load_datasets()


def test_every_deliverable_table_is_told_with_its_columns() -> None:
    known = deliverable(DATASETS)
    assert [row["table"] for row in askable_tables(DATASETS)] == sorted(known)
    for table, columns in known.items():
        rows = askable_columns(DATASETS, table)
        assert {row["column"] for row in rows} == columns
        assert all(row["type"] and row["role"] and row["meaning"] for row in rows), table


def test_a_column_tells_what_an_extract_makes_of_it() -> None:
    rows = {row["column"]: row for row in askable_columns(DATASETS, "OMOP.Person")}
    assert "finer" in rows["day_of_birth"]["in_an_extract"]
    assert rows["day_of_birth"]["at_the_finest_precision"] == "as in the hub"
    assert rows["person_id"]["role"] == "person_key"
    assert rows["gender_source_value"]["says_who_is_meant"]
    notes = {row["column"]: row for row in askable_columns(DATASETS, "omop.note")}
    assert notes["note_text"]["only_if_listed"]
    assert not notes["note_date"]["only_if_listed"]
    patients = {row["column"]: row for row in askable_columns(DATASETS, "hospital_ehr.patients")}
    withheld = {column for column, row in patients.items() if row["only_if_listed"]}
    assert withheld <= {column for column, row in patients.items() if row["role"] == "quasi_identifier"}
    assert withheld


def test_a_table_nobody_delivers_is_refused_with_the_nearest() -> None:
    with pytest.raises(RefusedError, match=r"no table er_prs_f; nearest: snds_dcir\.er_prs_f"):
        askable_columns(DATASETS, "er_prs_f")


def test_the_command_needs_no_hub() -> None:
    app = typer.Typer()
    app.add_typer(project_app, name="project")
    said = CliRunner().invoke(app, ["project", "tables", "omop.cost", "--json"])
    assert {row["column"] for row in json.loads(said.stdout)} == deliverable(DATASETS)["omop.cost"]
    assert "omop.condition_occurrence" in CliRunner().invoke(app, ["project", "tables"]).stdout


@pytest.mark.parametrize(
    ("birth", "empty"),
    [("year", ["month_of_birth", "day_of_birth"]), ("month", ["day_of_birth"]), ("day", [])],
)
def test_columns_that_the_precision_empties_are_found(birth: str, empty: list[str]) -> None:
    listed = ["person_id", "month_of_birth", "day_of_birth"]
    tables = {"omop.person": listed, "omop.visit_occurrence": "all", "snds_dcir.er_prs_f": ["prs_nat_ref"]}
    found = emptied(DATASETS, dossier("pilot", tables=tables, precision={"birth": birth}))
    assert found == ({"omop.person": empty} if empty else {})


def test_columns_that_the_precision_empties_are_told(tmp_path: Path) -> None:
    tables = {"omop.person": ["person_id", "day_of_birth"], "snds_dcir.er_prs_f": ["ben_ama_cod", "prs_nat_ref"]}
    path = write_dossier(tmp_path / "d.yaml", "pilot", tables=tables, precision={})
    app = typer.Typer()
    app.add_typer(project_app, name="project")
    told = CliRunner().invoke(app, ["project", "check", str(path)])
    assert told.exit_code == 0
    words = " ".join(told.stderr.split())
    assert "of omop.person would be empty: day_of_birth;" in words
    assert "of snds_dcir.er_prs_f would be empty: ben_ama_cod;" in words
