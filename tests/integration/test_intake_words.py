"""What a producer reads in its receipt, in its own language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from intake_world import PERSONS, SEALED, VISITS, World, cut

GOOD = {"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.create(tmp_path)


def french(world: World) -> str:
    """The French part of the one receipt's page."""
    (page,) = world.home.outbox.rglob("receipt.md")
    return page.read_text("utf-8").partition("\n---\n")[0]


def test_a_mark_that_should_not_be_there_is_told_in_french(world: World) -> None:
    cut(world.drop(GOOD), "VISITS.csv", b"\xef\xbb\xbf" + VISITS.encode())
    world.tick()
    assert "pas d'indicateur d'ordre des octets (BOM) au début" in french(world)


@pytest.mark.parametrize(
    ("edits", "expected", "found"),
    [
        ({"producer": "other"}, "producteur `clinic`", "un autre producteur dans le manifeste"),
        ({"period": "2024-02"}, "période `2024-01`", "une autre période dans le manifeste"),
        ({"dataset": "other"}, "jeu de données `care`", "un autre jeu de données dans le manifeste"),
    ],
)
def test_a_wrong_place_is_told_in_french(world: World, edits: dict[str, str], expected: str, found: str) -> None:
    manifest = world.drop(GOOD) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | edits))
    world.tick()
    assert f"{expected}, comme le disent" in french(world)
    assert found in french(world)


def test_the_folder_of_another_producer_is_told_as_what_it_is(world: World) -> None:
    folder = world.drop(GOOD)
    elsewhere = world.home.inbox / "stranger" / "care" / "2024-01"
    elsewhere.parent.mkdir(parents=True)
    folder.rename(elsewhere)
    (receipt,) = world.tick()
    assert [problem.found.en for problem in receipt.problems] == ["the folder of another producer"]
    assert "le dossier d'un autre producteur" in french(world)


def test_a_row_of_another_form_is_told_in_french(world: World) -> None:
    receipt = world.deliver(VISITS.replace("31/01/2024", "2024-01-31"))
    assert receipt.status == "accepted_with_rejects"
    assert "date jj/mm/aaaa" in french(world)
    assert "relivrez la période entière" in french(world)
    assert receipt.problems[0].expected.en == "date dd/mm/yyyy"


def test_a_refusal_says_when_the_delivery_was_sealed_if_its_manifest_does(world: World) -> None:
    (world.drop(GOOD) / "VISITS.csv").unlink()
    (world.drop(GOOD, "2024-02") / "manifest.json").write_text("{")
    told = {receipt.period: (receipt.status, receipt.sealed_at) for receipt in world.tick()}
    assert told == {"2024-01": ("refused", SEALED), "2024-02": ("refused", None)}


def test_rows_of_a_refusal_are_to_be_delivered_again_and_not_to_wait(world: World) -> None:
    receipt = world.deliver(VISITS.replace("/2024;", "/x;"))
    assert receipt.status == "refused"
    assert "corrigez ces lignes, scellez et livrez à nouveau" in french(world)
    assert {problem.what_next.en for problem in receipt.problems} == {
        "correct these rows, seal and deliver again",
        "correct the export, seal and deliver again",
    }
