"""A person objects, then changes their mind: all through `hdh`, from the producers' files to a project's folder."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hubs import hdh, use_postgres

from hdh_assets.core.home import Home
from tests.extract_hub import write_dossier

PERIOD = {"from": "2023-01-01", "to": "2024-12-31"}
TABLES = {"omop.person": "all", "omop.drug_exposure": "all", "snds_dcir.er_prs_f": "all", "snds_dcir.er_pha_f": "all"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(params=["embedded", pytest.param("postgresql", marks=pytest.mark.postgres)])
def hub(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty hub on one machine's files, and one with everything else in PostgreSQL."""
    if request.param == "postgresql":
        use_postgres(request.getfixturevalue("postgres_url"), monkeypatch)
    monkeypatch.setenv("HDH_HOME", str(tmp_path / "hub"))
    hdh("init")
    return Home(tmp_path / "hub")


def test_from_an_opposition_to_a_replaced_extract_and_back(hub: Home, tmp_path: Path) -> None:
    made = tmp_path / "made"
    synth = ("--persons", "30", "--from", "2024-01", "--to", "2024-02", "--out", str(made))
    hdh("synth", "snds_beneficiaries", "snds_dcir", *synth)
    _deliver(made, "2024-01")
    hdh("project", "submit", str(write_dossier(tmp_path / "dossier.yaml", "pilot", period=PERIOD, tables=TABLES)))
    hdh("committee", "opinion", "pilot", "--favourable")
    hdh("permit", "grant", "pilot")
    _tick()
    first, before = _rows_of("pilot/v1"), _counts()

    _oppose(_somebody_treated(made))
    _deliver(made, "2024-02")
    _tick()

    listed = {row["extract"]: row["state"] for row in json.loads(hdh("extract", "list", "--json"))}
    assert listed == {"pilot/v1": "withdrawn: somebody objected", "pilot/v2": "delivered"}
    assert {path.name for path in (hub.projects / "pilot" / "v1").iterdir()} == {"WITHDRAWN.md", "manifest.json"}
    assert "was withdrawn" in hdh("extract", "rebuild", "pilot/v1", expect=1)
    assert _rows_of("pilot/v2")["omop.person"] == first["omop.person"] - 1
    states = {row["number"]: row["state"].split(":")[0] for row in json.loads(hdh("release", "list", "--json"))}
    assert (states[1], states[max(states)]) == ("retired", "usable")
    assert "was retired" in hdh("sql", "SELECT 1", "--release", "1", expect=1)
    told = json.loads(hdh("oppose", "show", "1", "--tell", "--json"))["kept_out_of"]
    # the reference of January may be replaced by that of February before anybody looks at it
    found = {(place["dataset"], place["period"]) for place in told}
    assert found >= {("snds_beneficiaries", "2024-02"), ("snds_dcir", "2024-01")}
    assert [row["state"] for row in json.loads(hdh("oppose", "list", "--json"))] == ["in effect"]
    assert json.loads(hdh("tick", "--json"))["runs"] == []

    hdh("oppose", "withdraw", "1")
    _tick()
    after = _counts()
    assert after["persons"] >= before["persons"]
    assert after["lines"] == sum(
        receipt["tables"]["er_prs_f"]["rows"] for receipt in json.loads(hdh("receipts", "snds_dcir", "--json"))
    )
    assert json.loads(hdh("audit", "verify", "--json"))["intact"]


def _deliver(made: Path, period: str) -> None:
    for dataset in ("snds_beneficiaries", "snds_dcir"):
        hdh("deliver", dataset, period, str(made / dataset / period))


def _tick() -> None:
    done = json.loads(hdh("tick", "--json"))
    assert done["failed"] == 0, done


def _rows_of(extract: str) -> dict[str, int]:
    manifest = json.loads(hdh("extract", "show", extract, "--json"))
    return {file["table"]: file["rows"] for file in manifest["files"] if "table" in file}


def _counts() -> dict[str, int]:
    query = "SELECT (SELECT count(*) FROM omop.person) persons, (SELECT count(*) FROM snds_dcir.er_prs_f) lines"
    return dict(json.loads(hdh("sql", "--json", query))[0])


def _somebody_treated(made: Path) -> str:
    """BEN_NIR_ANO of the first person of the reference who has a drug in the first flux."""
    lines = {_key(row): (row["BEN_NIR_PSA"], int(row["BEN_RNG_GEM"])) for row in _read(made, "snds_dcir", "ER_PRS_F")}
    treated = {lines[_key(row)] for row in _read(made, "snds_dcir", "ER_PHA_F")}
    for row in _read(made, "snds_beneficiaries", "IR_BEN_R"):
        if (
            row["BEN_NIR_ANO"]
            and row["BEN_CDI_NIR"] == "00"
            and (row["BEN_NIR_PSA"], int(row["BEN_RNG_GEM"])) in treated
        ):
            return row["BEN_NIR_ANO"]
    raise AssertionError("nobody was treated")


def _read(made: Path, dataset: str, table: str) -> list[dict[str, Any]]:
    with (made / dataset / "2024-01" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    names = ("DCT_ORD_NUM", "FLX_EMT_NUM", "FLX_EMT_ORD", "FLX_EMT_TYP", "ORG_CLE_NUM", "PRS_ORD_NUM", "REM_TYP_AFF")
    return tuple(row[name] for name in names)


def _oppose(identifier: str) -> None:
    """The identifier comes by a pipe."""
    command = [sys.executable, "-m", "hdh_assets.cli", "oppose", "add", "snds_nir", "--json"]
    done = subprocess.run(command, input=identifier, capture_output=True, text=True, check=True)
    assert identifier not in done.stdout + done.stderr
    assert json.loads(done.stdout)[0]["opposition"] == 1
