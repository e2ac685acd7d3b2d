"""What lies in the inbox and is no delivery is answered alone: everybody else's is taken in, whatever it is."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from intake_world import PERSONS, VISITS, World

from hdh_assets.sources.intake import run
from resources.inbox import move_folder, scan

GOOD = {"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.create(tmp_path)


def _manifest_folder(folder: Path) -> None:
    (folder / "manifest.json" / "within").mkdir(parents=True)


def _manifest_fifo(folder: Path) -> None:
    folder.mkdir()
    os.mkfifo(folder / "manifest.json")


def _link_to(target: str) -> Callable[[Path], None]:
    return lambda folder: folder.symlink_to(target)


STRANGE = [
    _manifest_folder,
    _manifest_fifo,
    *map(_link_to, ("2024-02", "x" * 300, "/etc/passwd/x", "nowhere")),
]


@pytest.mark.parametrize("make", STRANGE)
def test_what_is_no_delivery_gets_its_refusal_and_the_others_are_taken_in(
    world: World, make: Callable[[Path], None]
) -> None:
    good = world.drop(GOOD)
    make(good.with_name("2024-02"))
    receipts = {receipt.period: receipt for receipt in world.tick()}
    assert receipts["2024-01"].status == "accepted"
    assert [problem.rule for problem in receipts["2024-02"].problems] == ["manifest_not_a_file"]
    assert scan(world.home, world.datasets) == []
    (place,) = world.home.quarantine.glob("clinic/care/2024-02/*")
    assert (place / "receipt.md").exists()
    assert os.path.lexists(place / "delivery")


def test_a_manifest_swapped_for_a_folder_after_the_commit_leaves_a_receipt_and_is_answered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world.drop(GOOD)

    def swap(point: str) -> None:
        if point == "intake.after_commit":
            (folder / "manifest.json").unlink()
            (folder / "manifest.json").mkdir()

    with monkeypatch.context() as patched:
        patched.setattr(run, "crash_point", swap)
        (first,) = world.tick()
    assert first.status == "accepted"
    assert len(list(world.home.outbox.rglob("receipt.json"))) == 1
    (second,) = world.tick()
    assert [problem.rule for problem in second.problems] == ["manifest_not_a_file"]
    assert world.tick() == []
    assert len(world.visits()) == 3


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no second disk on this machine")
def test_a_link_moves_to_another_disk_as_it_is(tmp_path: Path) -> None:
    target = Path("/dev/shm") / f"hdh-{os.getpid()}" / "link"
    (tmp_path / "link").symlink_to("link")
    try:
        move_folder(tmp_path / "link", target)
        assert target.readlink() == Path("link")
        assert not (tmp_path / "link").is_symlink()
    finally:
        shutil.rmtree(target.parent, ignore_errors=True)


@pytest.mark.parametrize("names", [("VISITS.csv", "visits.csv.gz"), ("VISITS_1.csv", "VISITS_01.csv")])
def test_two_files_of_one_part_of_a_table_are_refused(world: World, names: tuple[str, str]) -> None:
    contents = [gzip.compress(VISITS.encode()) if name.endswith(".gz") else VISITS for name in names]
    world.drop({"PERSONS.csv": PERSONS} | dict(zip(names, contents, strict=True)))
    (receipt,) = world.tick()
    assert [(problem.rule, problem.file) for problem in receipt.problems] == [("same_part", sorted(names)[1])]


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_folder_that_a_delivery_leaves_empty_does_not_stay(world: World, is_refused: bool) -> None:
    world.drop(GOOD | ({"VISITS.csv": "x"} if is_refused else {}))
    (receipt,) = world.tick()
    assert receipt.status == ("refused" if is_refused else "accepted")
    assert [path.name for path in world.home.inbox.rglob("*")] == ["clinic"]
