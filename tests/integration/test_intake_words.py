"""What a producer reads in its receipt, in its own language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
    assert "pas d'indicateur d'ordre des octets (BOM) au début | un BOM est présent" in french(world)


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


def test_a_file_without_a_header_is_one_problem_and_no_count_of_rows(world: World) -> None:
    (problem,) = world.deliver(VISITS.partition("\n")[2]).problems
    assert (problem.rule, problem.line, problem.rows) == ("header", 1, None)
    assert "| `VISITS.csv`, ligne 1 | `header` |  | une ligne d'en-tête" in french(world)
    assert "séparées par `;`" in french(world)


def test_a_wrong_size_gives_both_numbers_each_language_in_its_own_way(world: World) -> None:
    folder = world.drop(GOOD | {"VISITS.csv": VISITS + "4;p1;01/02/2024;7;\n" * 100})
    (folder / "VISITS.csv").write_text(VISITS)
    (receipt,) = world.tick()
    assert (receipt.problems[0].expected.en, receipt.problems[0].found.en) == ("1,988 bytes, as sealed", "88 bytes")
    assert "1 988 octets, comme scellé | 88 octets" in french(world)


@pytest.mark.parametrize(
    ("manifest", "where", "rule"),
    [
        ("{", "`manifest.json`", "manifest_malformed"),
        ('{"Durand": 1, "Durand": 2}', "`manifest.json`", "manifest_malformed"),
        ({"period": "2024-1"}, "`manifest.json`", "wrong_period"),
        ({"period": 2024}, "`manifest.json`, `period`", "manifest_malformed"),
        ({"Durand": 1}, "`manifest.json`", "manifest_unknown_field"),
        (
            {"files": [{"name": "A.csv", "size": 0, "rows": 0, "sha256": "0" * 64, "Durand": 1}]},
            "`manifest.json`, `files.0`",
            "manifest_unknown_field",
        ),
    ],
)
def test_what_is_wrong_with_a_manifest_is_told_by_its_fields(
    world: World, manifest: str | dict[str, Any], where: str, rule: str
) -> None:
    path = world.drop(GOOD) / "manifest.json"
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(json.loads(path.read_text()) | manifest))
    world.tick()
    assert f"| {where} | `{rule}` |" in french(world)
    assert "Durand" not in french(world)


def test_a_row_of_another_form_is_told_in_french(world: World) -> None:
    receipt = world.deliver(VISITS.replace("31/01/2024", "2024-01-31"))
    assert receipt.status == "accepted_with_rejects"
    assert "date jj/mm/aaaa" in french(world)
    assert "livrez à nouveau la période entière" in french(world)
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
