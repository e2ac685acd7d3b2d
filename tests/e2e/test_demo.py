"""`hdh demo`, as `make demo` runs it, and the hubs it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hubs import drop, hdh

from hdh_assets.core.home import Home
from tests.settings import forget_settings

DOSSIER = Path(__file__).parents[2] / "hdh_assets" / "cli" / "demo.dossier.yaml"
SMALL = ("--persons", "150", "--months", "1")


def test_a_hub_in_use_is_no_place_for_a_demonstration(fifth: Home) -> None:
    sealed = drop(fifth, "2024-01")
    assert "in use" in hdh("demo", expect=1)
    assert not fifth.demonstration.exists()
    assert [path.name for path in fifth.inbox.glob("*/*/*")] == [sealed.name]


def test_a_hub_that_decided_something_is_no_place_for_a_demonstration(home: Home) -> None:
    hdh("project", "submit", str(DOSSIER))
    assert "in use" in hdh("demo", expect=1)
    assert not home.demonstration.exists()


@pytest.mark.slow
def test_a_demonstration_is_a_working_hub_and_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_settings(monkeypatch, and_threads=True)
    monkeypatch.setenv("HDH_HOME", str(tmp_path / "hub"))
    made = json.loads(hdh("demo", *SMALL, "--json"))
    assert made["failed"] == 0
    assert made["release"] == 1
    assert made["persons in OMOP"] >= 150
    assert made["extracts"] == "demo_diabetes/v1"
    hdh("extract", "verify", "demo_diabetes")
    files = hdh("trace", "--json", str(tmp_path / "hub" / "projects" / "demo_diabetes" / "v1"))
    assert "ER_PRS_F" in files
    again = json.loads(hdh("demo", *SMALL, "--json"))
    assert again | {"seconds": made["seconds"]} == made
    said = hdh("demo", "--persons", "200", "--months", "1", expect=1)
    assert "--persons 150 --months 1 --seed 1" in " ".join(said.split())
