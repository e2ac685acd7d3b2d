"""Keys of a person who objects, as references teach them: those of now, and those that were replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from intake_world import World, column, dataset, text
from test_oppositions import follow, oppose

from resources.releases import latest, make_release

KEYS = {
    kind: column(kind, "string(9)", role="person_key", identifier_type=kind.lower()) for kind in ("PSA", "IDT", "FILE")
}
REFERENCE = {"name": "REFERENCE", "title": text("Reference"), "description": text("One row per person and key")}
CARES = {"name": "CARES", "title": text("Cares"), "description": text("One row per act")}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A hub with a reference that each delivery replaces, and care."""
    reference = dataset(id="reference", mode="snapshot", tables=[REFERENCE | {"columns": list(KEYS.values())}])
    cares = [KEYS["PSA"], column("ACT", "string(9)")]
    return World.create(tmp_path, reference, dataset(id="cares", tables=[CARES | {"columns": cares}]))


def refer(world: World, period: str, *rows: str) -> None:
    world.drop({"REFERENCE.csv": "PSA;IDT;FILE\n" + "\n".join(rows) + "\n"}, period, of="reference")
    assert [receipt.status for receipt in world.tick()] == ["accepted"]
    make_release(world.lake(), checks={})


@pytest.mark.parametrize(
    "references",
    [
        [("psa2;idt;", "psa9;other;"), ("psa1;idt;", "psa9;other;")],
        [("psa3;;file1", "psa9;other;"), ("psa2;idt;", "psa3;idt;", "psa9;other;"), ("psa1;idt;", "psa9;other;")],
        [("psa1;;file1", "psa9;;"), ("psa2;idt;file1", "psa9;;"), ("psa9;;",)],
    ],
    ids=["one replaced", "a chain of them", "the older one leads to the newer"],
)
def test_what_one_reference_teaches_is_looked_for_in_all_others(
    world: World, references: list[tuple[str, ...]]
) -> None:
    """Care under a former number stayed, of somebody whose present reference alone leads to the replaced one."""
    cares = "PSA;ACT\npsa1;a\npsa2;b\npsa9;c\n"
    world.drop({"CARES.csv": cares}, of="cares")
    assert [receipt.status for receipt in world.tick()] == ["accepted"]
    for month, rows in enumerate(references, start=1):
        refer(world, f"2024-{month:02d}", *rows)
    oppose(world, "psa1", kind="psa")
    follow(world)
    assert world.rows("SELECT act FROM lake.cares.cares") == [("c",)]
    assert latest(world.lake()) is None
