"""`hdh deliver`: what is dropped, under whose seal, and what the intake makes of the same files again."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
from intake_world import PERSONS, SEALED, VISITS, World

from hdh_assets.core.errors import HubError
from hdh_assets.sources.intake.deliver import deliver, foreseen, is_waiting
from hdh_assets.sources.intake.manifest import digest_of
from hdh_assets.sources.intake.receipt import read_receipt
from hdh_assets.sources.intake.recover import recover
from hdh_assets.sources.intake.seal import seal
from resources.inbox import MANIFEST, unfinished_place
from resources.run_folders import run_folder
from tests.children import die


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.create(tmp_path)


@pytest.fixture
def sealed(world: World, tmp_path: Path) -> Path:
    """A folder as `hdh synth` leaves it."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "PERSONS.csv").write_text(PERSONS, "utf-8")
    (folder / "VISITS.csv").write_text(VISITS, "utf-8")
    seal(folder, world.datasets["care"], "2024-01", sealed_at=SEALED)
    return folder


def _drop(world: World, folder: Path, period: str = "2024-01") -> Path:
    return deliver(world.home, world.datasets["care"], period, sorted(folder.iterdir()))


def test_a_sealed_folder_keeps_its_seal_and_is_known_when_it_comes_again(world: World, sealed: Path) -> None:
    dropped = _drop(world, sealed)
    assert (dropped / MANIFEST).read_bytes() == (sealed / MANIFEST).read_bytes()
    assert is_waiting(world.home, world.datasets["care"], "2024-01")
    with pytest.raises(HubError, match="already in the inbox"):
        _drop(world, sealed)
    assert [receipt.status for receipt in world.tick()] == ["accepted"]
    _drop(world, sealed)
    assert [receipt.status for receipt in world.tick()] == ["already_received"]


def test_what_a_killed_drop_left_in_clear_is_removed_and_one_under_way_is_not(world: World, sealed: Path) -> None:
    die("deliver.copied", _drop, world, sealed)
    (left,) = (path for path in world.home.inbox.iterdir() if path.is_dir() and path.name.startswith("."))
    assert (left / "PERSONS.csv").exists()
    with run_folder(unfinished_place(world.home.inbox)) as under_way:
        told = recover(world.home, world.settings, world.datasets)
        assert told == ["1 unfinished copy(ies) of a killed `hdh deliver` removed from the inbox"]
        assert under_way.is_dir()
    assert [path.name for path in world.home.inbox.iterdir()] == ["clinic"]


def test_an_unfinished_copy_that_cannot_be_removed_is_told_and_stops_nothing(world: World) -> None:
    """Of another account, or on a disk that is only read; here a link, which is never followed."""
    outside = world.home.root / "outside"
    outside.mkdir()
    left, free = (unfinished_place(world.home.inbox) for _ in range(2))
    world.home.inbox.mkdir(exist_ok=True)
    left.symlink_to(outside)
    free.mkdir()
    told = recover(world.home, world.settings, world.datasets)
    assert told[1:] == [f"a killed `hdh deliver` left {left} (OSError), which cannot be removed: remove it"]
    assert outside.is_dir()
    assert not free.exists()


def test_what_is_dropped_and_its_answer_are_for_no_other_account(world: World, sealed: Path) -> None:
    shutil.rmtree(world.home.inbox, ignore_errors=True)
    dropped = _drop(world, sealed)
    folders = [dropped, dropped.parent, dropped.parent.parent, world.home.inbox]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert {stat.S_IMODE(file.stat().st_mode) for file in dropped.iterdir()} == {0o600}
    (receipt,) = world.tick()
    assert stat.S_IMODE((world.home.outbox / receipt.producer).stat().st_mode) == 0o700


@pytest.mark.parametrize("said", [b"[]", b"{", b"\xff"])
def test_an_answer_that_somebody_altered_is_passed_over(world: World, sealed: Path, said: bytes) -> None:
    _drop(world, sealed)
    world.tick()
    (answer,) = world.home.outbox.rglob("receipt.json")
    assert read_receipt(answer) is not None
    answer.write_bytes(said)
    assert read_receipt(answer) is None
    _drop(world, sealed)
    assert [receipt.status for receipt in world.tick()] == ["already_received"]


def test_a_seal_that_does_not_fit_is_made_anew(world: World, sealed: Path) -> None:
    """Files changed since, another period, or a manifest that is none: the files count, and the delivery is new."""
    _drop(world, sealed)
    world.tick()
    given = (sealed / MANIFEST).read_bytes()
    (sealed / "VISITS.csv").write_text(VISITS.replace("12,50", "13,50"), "utf-8")
    assert (_drop(world, sealed) / MANIFEST).read_bytes() != given
    _drop(world, sealed, "2024-02")
    assert {receipt.status for receipt in world.tick()} == {"accepted"}
    (sealed / MANIFEST).write_text("{", "utf-8")
    _drop(world, sealed, "2024-03")
    assert [receipt.status for receipt in world.tick()] == ["accepted"]


def test_files_that_came_in_last_are_known_without_their_manifest(world: World, sealed: Path) -> None:
    """The same content changes nothing; a former content, delivered after another, is a correction."""
    (sealed / MANIFEST).unlink()
    statuses = []
    for cost in ("12,50", "12,50", "13,50", "12,50"):
        (sealed / "VISITS.csv").write_text(VISITS.replace("12,50", cost), "utf-8")
        _drop(world, sealed)
        (receipt,) = world.tick()
        statuses.append((receipt.status, receipt.is_current))
    assert statuses == [("accepted", True), ("already_received", True), ("accepted", True), ("accepted", True)]


def test_a_seal_of_the_same_instant_that_would_not_count_is_made_anew(world: World, sealed: Path) -> None:
    care, files = world.datasets["care"], {}
    for content in (VISITS, VISITS.replace("12,50", "13,50")):
        (sealed / "VISITS.csv").write_text(content, "utf-8")
        manifest = seal(sealed, care, "2024-01", sealed_at=SEALED).read_bytes()
        files[digest_of(manifest)] = (content, manifest)
    for digest in sorted(files, reverse=True):
        content, manifest = files[digest]
        (sealed / "VISITS.csv").write_text(content, "utf-8")
        (sealed / MANIFEST).write_bytes(manifest)
        _drop(world, sealed)
        (receipt,) = world.tick()
        assert (receipt.status, receipt.is_current) == ("accepted", True)


def test_a_former_content_under_its_own_seal_is_a_correction_when_another_came_in_since(
    world: World, sealed: Path
) -> None:
    former = (sealed / "VISITS.csv").read_text("utf-8")
    statuses = []
    for content in (former, former.replace("12,50", "13,50"), former, former):
        (sealed / "VISITS.csv").write_text(content, "utf-8")
        _drop(world, sealed)
        (receipt,) = world.tick()
        statuses.append((receipt.status, receipt.is_current))
    assert statuses == [("accepted", True), ("accepted", True), ("accepted", True), ("already_received", True)]


@pytest.mark.parametrize(
    ("period", "names", "told"),
    [
        ("2024-01", ["PERSONS.csv", "VISITS.csv"], []),
        ("2024-01", ["persons_001.csv.gz", "visits.csv"], []),
        ("2024-01", ["VISITS.csv"], ["no file of PERSONS"]),
        ("2922-01", ["PERSONS.csv"], ["no file of VISITS", "periods go from 2023-01 to the one in progress"]),
    ],
)
def test_what_names_tell_of_a_refusal_is_told_at_once(
    world: World, period: str, names: list[str], told: list[str]
) -> None:
    assert foreseen(world.datasets["care"], period, [Path(name) for name in names]) == told
