"""The dbt project: its unit tests run, and nothing in it lacks a test or a description."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home
from hdh_assets.core.keys import OMOP_DOMAINS
from hdh_assets.standard.child import begin_with_setup
from hdh_assets.standard.manifest import read_manifest
from hdh_assets.standard.sources_yml import PROJECT, write_sources

CDM_TABLES = {table for group in OMOP_DOMAINS.values() for table in group}
REFERENCE = (
    Path(__file__).parents[2] / ".." / "shared" / "data" / "OHDSI+CommonDataModel" / "OMOP_CDMv5.4_Field_Level.csv"
)
DCIR_AND_BENEFICIARY_RULES = {*range(1, 20), 28, *range(35, 48)}
"""Rules of SNDS.md that bind what is delivered today: lines, persons, drugs, illnesses, deaths and formats."""

NEVER_READ = {45: "ben_ehp_top", 46: "ben_ama_cod"}
"""Columns that do not mean what they seem to, by the rule that says so."""


@pytest.fixture(scope="module")
def tested(standardised, tmp_path_factory):
    """dbt's unit tests, run on an empty hub: how it ended, and the folder of what dbt wrote down."""
    folder = tmp_path_factory.mktemp("dbt")
    home = Home(folder / "hub")
    shutil.copytree(standardised, home.root)
    write_sources(load_datasets().values())
    begin_with_setup(folder / "target")
    command = ["test", "--select", "test_type:unit", "--project-dir", PROJECT, "--profiles-dir", PROJECT]
    command += ["--target-path", folder / "target", "--log-path", folder]
    done = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *map(str, command)],
        env=os.environ | {"HDH_HOME": str(home.root), "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, folder / "target"


def test_fragments_that_nobody_would_be_in_scope_for_are_refused(tmp_path):
    """Every delivery after the first was lacking in OMOP, without a word."""
    command = ["parse", "--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", tmp_path]
    command += ["--log-path", tmp_path, "--vars", '{"scopes": ["int_snds_beneficiaries__scope"]}']
    done = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *map(str, command)],
        env=os.environ | {"HDH_HOME": str(tmp_path), "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "give it a model int_snds_dcir__scope" in done.stdout


@pytest.fixture(scope="module")
def manifest(tested):
    return read_manifest(tested[1] / "manifest.json")


@pytest.fixture(scope="module")
def models(manifest):
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


def test_every_unit_test_of_the_project_passes(tested, manifest):
    done, target = tested
    assert done.returncode == 0, done.stdout[-6000:]
    results = json.loads((target / "run_results.json").read_text("utf-8"))["results"]
    assert {one["unique_id"] for one in results if one["status"] == "pass"} == set(manifest["unit_tests"])


def test_the_thirty_nine_tables_of_the_cdm_exist_under_contract(models):
    omop = {name: node for name, node in models.items() if node["schema"] == "omop"}
    assert set(omop) == CDM_TABLES
    assert all(node["config"]["contract"]["enforced"] for node in omop.values())


def test_every_model_and_every_contracted_column_is_described(models):
    assert [name for name, node in models.items() if not node["description"].strip()] == []
    assert [
        f"{name}.{column}"
        for name, node in models.items()
        for column, content in node["columns"].items()
        if not content["description"].strip()
    ] == []


def test_every_cdm_table_that_is_fed_has_a_unit_test(manifest, models):
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    fed = {name for name, node in models.items() if node["schema"] == "omop" and node["depends_on"]["nodes"]}
    assert fed - tested == set()


def test_every_rule_has_a_test_that_names_it(manifest):
    """A unit test of dbt, or a test of Python where the rule lives elsewhere: at intake, in the catalogue."""
    in_dbt = [test["name"] for test in manifest["unit_tests"].values()]
    text = "".join(path.read_text("utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    in_python = re.findall(r"^def test_(rules?_\w+)\(", text, flags=re.MULTILINE)
    found = {
        int(number)
        for name in in_dbt + in_python
        if name.startswith("rule")
        for number in re.findall(r"(?<=_)(\d\d)(?=_)", name)
    }
    assert DCIR_AND_BENEFICIARY_RULES - found == set()


def test_rules_45_46_nothing_reads_what_does_not_mean_what_it_seems(models):
    for rule, column in NEVER_READ.items():
        assert (rule, [name for name, node in models.items() if column in node["raw_code"].lower()]) == (rule, [])


def test_only_staging_reads_sources(models):
    reading = [name for name, node in models.items() if any(each[0] != "hub" for each in node["sources"])]
    assert [name for name in reading if not name.startswith("stg_")] == []


@pytest.mark.reference
@pytest.mark.skipif(not REFERENCE.exists(), reason="the specification is not beside the project")
def test_columns_are_those_of_the_official_specification(models):
    official: dict[str, list[tuple[str, bool]]] = {}
    with REFERENCE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = row["cdmFieldName"].strip().lower().strip('"')
            official.setdefault(row["cdmTableName"].lower(), []).append((name, row["isRequired"] == "Yes"))
    ours = {
        table: [(name, bool(column["constraints"])) for name, column in models[table]["columns"].items()]
        for table in CDM_TABLES
    }
    assert ours == official


def test_staging_takes_for_missing_what_the_descriptors_say(models):
    """Each list of texts and dates that mean missing is that of the column it is taken from."""
    declared = {
        column.lake_name: {datetime.strptime(t, "%d/%m/%Y").date().isoformat() if "/" in t else t for t in texts}
        for dataset in load_datasets().values()
        for table in dataset.tables
        for column in table.columns
        if (texts := column.sentinels)
    }
    written = re.findall(r"no_sentinel\('(\w+)', \[([^\]]*)\]\)", "\n".join(m["raw_code"] for m in models.values()))
    written += re.findall(
        r"no_sentinel\('(\w+)', \[([^\]]*)\]\)", (PROJECT / "macros" / "snds_reference.sql").read_text()
    )
    assert len(written) > 10
    for column, texts in written:
        assert set(re.findall(r"'([^']*)'", texts)) == declared[column], column
