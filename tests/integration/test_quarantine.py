"""What quarantine holds can be listed, given back to its producer, and removed."""

from __future__ import annotations

import csv
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from hdh_assets.cli.console import Context
from hdh_assets.cli.quarantine import quarantine_app
from hdh_assets.core.errors import ConfigurationError, HubError
from hdh_assets.sources.intake.quarantine import Held, empty, export, find_held, held
from resources.keys import open_keys
from resources.registry import Registry
from resources.vault import Vault, open_vault
from tests.integration.intake_world import NAME, NIR, PERSONS, VISITS, World
from tests.leaks import assert_no_identity

PLANTED = [NIR, NAME]


@pytest.fixture
def full(tmp_path: Path) -> World:
    """A hub that refused a delivery, and rejected rows of another by rules of their own and by their keys."""
    world = World.create(tmp_path)
    assert world.deliver(VISITS, PERSONS + f"p1;{NIR};{NAME};1\n", period="2024-02").status == "refused"
    visits = VISITS + '4;p2;31/02/2024;2000;"x\ny"\n5;p2;01/02/2024;1;\n5;p1;02/02/2024;1;\n6;p9;03/02/2024;1;\n'
    assert world.deliver(visits, PERSONS + f"p3;{NIR};{NAME};7\n", period="2024-03").rejected_count == 5
    return world


def vault(world: World) -> Vault:
    return open_vault(world.home, open_keys(world.home))


def registry(world: World) -> Registry:
    return Registry(world.home, world.settings)


def by_period(world: World) -> dict[str, Held]:
    return {one.place.period: one for one in held(world.home)}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_refused_files_and_rejected_rows_are_told_apart(full: World) -> None:
    found = by_period(full)
    assert sorted(path.name for path in found["2024-02"].refused) == ["PERSONS.csv", "VISITS.csv", "manifest.json"]
    assert not found["2024-02"].rejected
    assert len(found["2024-03"].rejected) == 4
    assert not found["2024-03"].refused
    assert all(one.size and one.since <= datetime.now(UTC) for one in found.values())


def test_rejected_rows_come_back_as_they_were_with_line_and_rules(full: World, tmp_path: Path) -> None:
    target = tmp_path / "for the producer"
    dialect = full.datasets["care"].format
    written = export(registry(full), vault(full), full.settings, by_period(full)["2024-03"], target, dialect)
    assert sorted(path.name for path in written) == [
        "PERSONS.csv",
        "VISITS.csv",
        "VISITS.csv.duplicate_key.NUM.csv",
        "VISITS.csv.orphan-1.PERSONS.PERSON.csv",
    ]
    rows = [row for path in written for row in rows_of(path)]
    told = sorted((int(row["_line"]), row["_rules"]) for row in rows)
    assert told == [
        (4, "in_list SEX"),
        (5, "type DAY; range COST"),
        (7, "duplicate_key NUM"),
        (8, "duplicate_key NUM"),
        (9, "orphan PERSON"),
    ]
    person = next(row for row in rows if "NIR" in row)
    assert (person["NIR"], person["NAME"], person["SEX"]) == (NIR, NAME, "7")
    broken = next(row for row in rows if row["_line"] == "5")
    assert broken == {"_line": "5", "_rules": "type DAY; range COST"} | {
        "NUM": "4", "PERSON": "p2", "DAY": "31/02/2024", "COST": "2000", "NOTE": "x\ny",
    }  # fmt: skip
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert_no_identity(full.home, PLANTED)
    assert not list((full.home.vault / "tmp").iterdir())


def test_nothing_is_exported_into_the_hub_over_other_files_or_from_a_refused_delivery(
    full: World, tmp_path: Path
) -> None:
    rejects, refused = by_period(full)["2024-03"], by_period(full)["2024-02"]
    (tmp_path / "mine").write_text("x")
    for target in (full.home.root / "export", full.home.vault / "export", tmp_path, tmp_path / "mine"):
        with pytest.raises(ConfigurationError):
            export(registry(full), vault(full), full.settings, rejects, target)
    with pytest.raises(HubError, match="no rejected rows"):
        export(registry(full), vault(full), full.settings, refused, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l'hôpital", "mine"]
    assert registry(full).events() == []


def test_a_delivery_is_found_by_the_first_digits_of_its_digest(full: World) -> None:
    one = by_period(full)["2024-02"]
    assert find_held(full.home, one.delivery[:8]) == one
    for wrong in ("", "zz", "*"):
        with pytest.raises(HubError, match="begin with"):
            find_held(full.home, wrong)


def test_emptied_quarantine_stays_empty_and_answers_stay(full: World) -> None:
    old = [one for one in held(full.home) if one.since < datetime.now(UTC) - timedelta(days=1)]
    assert not old
    receipts = sorted(full.home.outbox.rglob("receipt.json"))
    empty(registry(full), full.home, [by_period(full)["2024-02"]])
    assert list(by_period(full)) == ["2024-03"]
    empty(registry(full), full.home, held(full.home))
    assert not list(full.home.quarantine.iterdir())
    assert sorted(full.home.outbox.rglob("receipt.json")) == receipts
    assert len(full.visits()) == 3


def test_the_commands_list_export_and_empty(full: World, tmp_path: Path) -> None:
    full.home.settings_file.touch()

    def hdh(*arguments: str) -> object:
        result = CliRunner().invoke(quarantine_app, [*arguments, "--json"], obj=Context(full.home))
        if result.exception:
            raise result.exception
        return json.loads(result.stdout)

    shown = hdh("list")
    assert isinstance(shown, list)
    assert [(row["period"], row["holds"], row["files"]) for row in shown] == [
        ("2024-02", "a refused delivery", 3),
        ("2024-03", "rejected rows", 4),
    ]
    assert NIR not in json.dumps(shown)
    written = hdh("export", shown[1]["delivery"], str(tmp_path / "out"))
    assert isinstance(written, list)
    assert sorted(Path(path) for path in written) == sorted((tmp_path / "out").iterdir())
    with pytest.raises(HubError, match="nothing was removed"):
        hdh("empty")
    assert hdh("empty", "--older-than", "1") == []
    assert hdh("empty", "--all") == [row["folder"] for row in shown]
    assert hdh("list") == []
    with registry(full) as log:
        told = [(e.kind, e.subject, e.data["period"], e.data["rejected"], e.data["refused"]) for e in log.events()]
    assert told == [
        ("quarantine.exported", "care", "2024-03", 4, 0),
        ("quarantine.emptied", "care", "2024-02", 0, 3),
        ("quarantine.emptied", "care", "2024-03", 4, 0),
    ]


def test_an_export_that_fails_half_way_was_written_down(
    full: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hdh_assets.sources.intake.quarantine.connect_engine", Mock(side_effect=OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        export(registry(full), vault(full), full.settings, by_period(full)["2024-03"], tmp_path / "out")
    assert [event.kind for event in registry(full).events()] == ["quarantine.exported"]
    assert not list((full.home.vault / "tmp").iterdir())


def test_a_key_that_several_parts_break_is_told_of_each_with_its_own_count(tmp_path: Path) -> None:
    world = World.create(tmp_path)
    head = "NUM;PERSON;DAY;COST;NOTE\n"
    parts = {
        "VISITS_1.csv": head + "1;p1;;;\n2;p1;;;\n",
        "VISITS_2.csv": head + "3;p1;;;\n",
        "VISITS_3.csv": head + "4;p1;;;\n1;p2;;;\n1;p2;;;\n",
    }
    world.drop({"PERSONS.csv": PERSONS} | parts)
    (receipt,) = world.tick()
    told = [(p.file, p.count, p.lines) for p in receipt.problems if p.rule == "duplicate_key"]
    assert told == [("VISITS_1.csv", 1, (2,)), ("VISITS_3.csv", 2, (3, 4))]
    assert receipt.rejected_count == receipt.tables["visits"].by_rule["duplicate_key"] == 3
