"""The commands from dossier to proof: `hdh project`, `committee`, `permit`, `extract`, `trace`, `audit`, `oppose`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hdh_assets.cli.console import Context
from hdh_assets.cli.extracts import extract_app
from hdh_assets.cli.oppositions import oppose_app
from hdh_assets.cli.projects import committee_app, permit_app, project_app
from hdh_assets.cli.trace import audit_app, trace_command
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.build import build_extract
from hdh_assets.extracts.ended import withdraw_ended
from hdh_assets.governance.dossier import DossierError
from hdh_assets.governance.register import find_permit
from resources.registry import Registry
from tests.extract_hub import fill, write_dossier

APP = typer.Typer()
for name, part in (
    ("project", project_app),
    ("committee", committee_app),
    ("permit", permit_app),
    ("extract", extract_app),
    ("audit", audit_app),
    ("oppose", oppose_app),
):
    APP.add_typer(part, name=name)
APP.command("trace")(trace_command)


def hdh(home: Home, *arguments: str, entered: str | None = None) -> Any:
    """Run a command; its JSON when it prints some."""
    result = CliRunner().invoke(APP, arguments, obj=Context(home), input=entered)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if "--json" in arguments else result.output


def test_extracts_of_a_project_nobody_filed_are_no_empty_list(home: Home, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no project is called unknown"):
        hdh(home, "extract", "list", "unknown")
    hdh(home, "project", "submit", str(write_dossier(tmp_path / "dossier.yaml", "pilot")))
    assert "no extract was delivered to pilot yet" in hdh(home, "extract", "list", "pilot")


def test_who_asks_for_what_was_never_delivered_is_told_that_it_waits(
    home: Home, settings: Settings, tmp_path: Path
) -> None:
    fill(home, settings, persons=20)
    table = "omop.death"
    path = write_dossier(tmp_path / "dossier.yaml", "pilot", tables={"omop.person": "all", table: "all"})
    told = hdh(home, "project", "submit", str(path))
    assert f"nothing was delivered yet of {table};" in " ".join(told.split())
    assert hdh(home, "project", "show", "pilot", "--json")["waits_for"] == []
    hdh(home, "committee", "opinion", "pilot", "--favourable")
    hdh(home, "permit", "grant", "pilot")
    assert hdh(home, "project", "show", "pilot", "--json")["waits_for"] == [table]
    assert table in hdh(home, "project", "show", "pilot")


def test_from_a_new_dossier_to_a_traced_and_proved_extract(home: Home, settings: Settings, tmp_path: Path) -> None:
    release = fill(home, settings)
    hdh(home, "project", "new", str(tmp_path / "new.yaml"))
    path = write_dossier(tmp_path / "dossier.yaml", "pilot", tables={"snds_dcir.er_prs_f": "all", "omop.person": "all"})
    hdh(home, "project", "check", str(path))
    checked = hdh(home, "project", "check", str(path), "--json")
    assert (checked["project"], checked["warnings"]) == ("pilot", [])
    assert "hdh project submit" in hdh(home, "project", "check", str(path))
    hdh(home, "project", "submit", str(path))
    assert "hdh project amend" in hdh(home, "project", "check", str(path))
    assert checked["purpose"] in " ".join(hdh(home, "project", "show", "pilot").split())
    untouched = hdh(home, "project", "check", str(tmp_path / "new.yaml"), "--json")["warnings"]
    assert any(warning.startswith("as the template has it: title, purpose") for warning in untouched)
    assert [row["project"] for row in hdh(home, "committee", "list", "--json")] == ["pilot"]
    hdh(home, "committee", "opinion", "pilot", "--favourable")
    hdh(home, "permit", "grant", "pilot")
    assert hdh(home, "permit", "list", "--json")[0]["project"] == "pilot"
    assert hdh(home, "permit", "show", "pilot", "--json")["number"] == 1
    shown = hdh(home, "project", "show", "pilot", "--json")
    assert shown["status"] == "granted"
    assert [event["what"] for event in shown["history"]] == [
        "dossier.submitted",
        "opinion.given (favourable)",
        "permit.granted",
    ]
    permit = find_permit(Registry(home, settings), "pilot")
    folder = build_extract(home, settings, load_datasets(), permit, release).version.folder
    assert hdh(home, "extract", "list", "--json")[0]["extract"] == "pilot/v1"
    assert hdh(home, "extract", "show", "pilot", "--json")["basis"] == {"permit": 1, "release": 1}
    assert hdh(home, "extract", "verify", "--json") == [{"extract": "pilot/v1", "problem": None}]
    assert hdh(home, "extract", "rebuild", "pilot/v1", "--json")["identical"] is True
    assert hdh(home, "audit", "verify", "--json")["intact"] is True
    back = hdh(home, "trace", str(folder / "data" / "snds_dcir.er_prs_f.parquet"), "--json")
    assert {row["name"] for row in back["deliveries"]} == {"ER_PRS_F.csv"}
    forth = hdh(home, "trace", "a" * 64, "--json")
    assert [row["name"] for row in forth["deliveries"]] == ["ER_PRS_F.csv"]
    assert {"release": 1, "extract": "pilot/v1", "table": "snds_dcir.er_prs_f"} in forth["uses"]
    assert "snds_dcir.er_pha_f" not in {use["table"] for use in forth["uses"]}
    lake_file = next((home.lake / "data" / "snds_dcir" / "er_prs_f").glob("*.parquet"))
    assert hdh(home, "trace", str(lake_file), "--json")["deliveries"][0]["period"] == "2019-01"


def test_the_list_of_extracts_says_why_one_was_withdrawn(home: Home, settings: Settings, tmp_path: Path) -> None:
    release = fill(home, settings, persons=20)
    hdh(home, "project", "submit", str(write_dossier(tmp_path / "dossier.yaml", "pilot")))
    hdh(home, "committee", "opinion", "pilot", "--favourable")
    hdh(home, "permit", "grant", "pilot")
    with Registry(home, settings) as registry:
        build_extract(home, settings, load_datasets(), find_permit(registry, "pilot"), release)
    told = hdh(home, "permit", "revoke", "pilot", "--reason", "found wanting", "--json")
    assert (told["project"], told["what"], told["reason"]) == ("pilot", "permit.revoked", "found wanting")
    assert [row["state"] for row in hdh(home, "extract", "list", "--json")] == ["delivered"]
    withdraw_ended(home, settings)
    assert [row["state"] for row in hdh(home, "extract", "list", "--json")] == ["withdrawn: its permit ended"]
    assert "its permit ended" in hdh(home, "extract", "show", "pilot/v1")
    assert hdh(home, "extract", "verify", "--json") == [{"extract": "pilot/v1", "problem": None}]


def test_a_dossier_that_asks_for_costs_of_nothing_is_refused(home: Home, tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "dossier.yaml", "pilot", tables={"omop.person": "all", "omop.cost": "all"})
    for command in ("check", "submit"):
        with pytest.raises(DossierError, match=r"ask also for omop\.condition_occurrence or"):
            hdh(home, "project", command, str(path))


def test_the_log_is_proved_to_follow_a_hash_that_was_kept(home: Home, settings: Settings) -> None:
    with Registry(home, settings) as registry:
        kept = registry.append("note", "one", "tester", {}).hash
        last = registry.append("note", "two", "tester", {}).hash
    assert last in hdh(home, "audit", "verify"), "whole, so that it can be kept"
    assert hdh(home, "audit", "verify", "--since", kept, "--json")["intact"] is True
    lacking = CliRunner().invoke(APP, ["audit", "verify", "--since", "f" * 64, "--json"], obj=Context(home))
    assert lacking.exit_code == 1
    assert "the log was rewritten" in json.loads(lacking.stdout)["problems"][0]


def test_an_opposition_keeps_no_identifier(home: Home, settings: Settings) -> None:
    identifier = "ABCDEFGHIJKLMNOPQ"
    said = hdh(home, "oppose", "add", "snds_nir", entered=f"{identifier}\n")
    assert identifier not in said
    assert "Votre opposition" in said
    assert "Your opposition" in said
    (row,) = hdh(home, "oppose", "list", "--json")
    assert (row["opposition"], row["identifier_type"], row["state"]) == (1, "snds_nir", "recorded")
    assert identifier.encode() not in (home.registry / "events.sqlite").read_bytes()
    assert len(Registry(home, settings).events("opposition.recorded")) == 1


def test_many_oppositions_come_from_a_file_and_one_twice_counts_once(home: Home, tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("AAAAAAAAAAAAAAAAA;1\nBBBBBBBBBBBBBBBBB;01\n\nAAAAAAAAAAAAAAAAA;1\n", "utf-8")
    found = hdh(
        home, "oppose", "add", "snds_psa", "--file", str(tmp_path / "many.txt"), "--dataset", "snds_dcir", "--json"
    )
    assert [(row["opposition"], row["is_new"]) for row in found] == [(1, True), (2, True), (1, False)]
    assert [row["datasets"] for row in hdh(home, "oppose", "list", "--json")] == ["snds_dcir", "snds_dcir"]


def test_an_opposition_is_shown_and_withdrawn_by_its_number(home: Home) -> None:
    hdh(home, "oppose", "add", "ehr_patient", entered="someone\n")
    assert "kept_out_of" not in hdh(home, "oppose", "show", "1", "--json")
    assert hdh(home, "oppose", "show", "1", "--tell", "--json")["kept_out_of"] == []
    assert "levée" in hdh(home, "oppose", "withdraw", "1", "--json")["acknowledgement"]["fr"]
    assert hdh(home, "oppose", "list", "--json")[0]["state"] == "being withdrawn"
    with pytest.raises(RefusedError, match="was withdrawn"):
        hdh(home, "oppose", "withdraw", "1")


def test_a_kind_nobody_is_known_by_or_a_dataset_about_nobody_is_refused(home: Home) -> None:
    with pytest.raises(RefusedError, match="no person is known by"):
        hdh(home, "oppose", "add", "practitioner", entered="x\n")
    with pytest.raises(RefusedError, match="no dataset about persons"):
        hdh(home, "oppose", "add", "nir", "--dataset", "commune_context", entered="x\n")


def test_a_refusal_by_the_committee_carries_its_reason(home: Home, tmp_path: Path) -> None:
    hdh(home, "project", "submit", str(write_dossier(tmp_path / "d.yaml", "pilot")))
    with pytest.raises(RefusedError, match="carries its reason"):
        hdh(home, "committee", "opinion", "pilot", "--unfavourable")
    hdh(home, "committee", "opinion", "pilot", "--unfavourable", "--reason", "too broad")
    with pytest.raises(RefusedError, match="a permit follows a favourable opinion"):
        hdh(home, "permit", "grant", "pilot")
    hdh(home, "permit", "refuse", "pilot", "--reason", "the committee finds it too broad")
    history = hdh(home, "project", "show", "pilot", "--json")["history"]
    assert [event["reason"] for event in history] == ["", "too broad", "the committee finds it too broad"]
