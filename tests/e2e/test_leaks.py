"""Identities planted in every kind of delivery, taken in by a real hub that dies once: nothing outside the vault."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from hubs import hdh

from hdh_assets.core.crash import VARIABLE
from hdh_assets.core.home import Home, Settings
from tests.integration.intake_world import NAME, NIR, PERSONS, VISITS, World, dataset
from tests.leaks import assert_no_identity

ROW = f"p1;{NIR};{NAME};1\n"
PERSONS_OF = {
    "2024-01": PERSONS,
    "2024-02": PERSONS + f"p3;{NIR};{NAME};7\n",  # a code of no list
    "2024-03": PERSONS + ROW,  # the same key twice
    "2024-04": PERSONS + f"p4;{NIR};{NAME}\n",  # a field too few
    "2024-05": PERSONS + f'p5;{NIR};"{NAME};1\n',  # a quote left open
    "2024-06": PERSONS.encode("cp1252"),
    "2024-07": PERSONS.replace("ID;NIR;NAME;SEX\n", ROW),  # a row where the header should be
}


@pytest.mark.slow
def test_no_identity_leaves_the_vault_whatever_fails(
    home: Home, standardised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(home.root)
    shutil.copytree(standardised, home.root)
    care = dataset()
    described = care.model_dump(mode="json", exclude_defaults=True)
    (home.datasets / "care.yaml").write_text(yaml.safe_dump(described, allow_unicode=True), "utf-8")
    world = World(home, {"care": care}, Settings.load(home))
    for period, persons in PERSONS_OF.items():
        world.drop({"PERSONS.csv": persons, "VISITS.csv": VISITS}, period)

    monkeypatch.setenv(VARIABLE, "intake.before_commit")
    hdh("tick", expect=1)
    assert_no_identity(home, (NIR, NAME))
    monkeypatch.delenv(VARIABLE)
    hdh("tick")

    assert_no_identity(home, (NIR, NAME))
    assert [row[0] for row in world.deliveries()] == ["2024-01", "2024-02"]
    assert not list(home.inbox.rglob("manifest.json"))
    assert list(home.dagster.rglob("*.db"))
