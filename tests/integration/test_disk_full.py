"""A disk that is full, read-only or limited: a sentence that says what to do, nothing changed, and all resumes."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import snds_rows
from intake_world import PERSONS, VISITS, World
from standard_hub import StandardHub

from hdh_assets.cli.console import Context
from hdh_assets.cli.init import initialise
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import HubError, KeyMaterialError
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.build import build_extract
from hdh_assets.extracts.versions import list_versions, verify_version
from hdh_assets.sources.intake.recover import recover
from resources.failures import told_to_dagster
from resources.keys import Purpose, open_keys
from resources.lake import open_lake
from resources.registry import Registry
from resources.releases import list_releases, make_release
from tests.children import exit_code
from tests.extract_hub import dossier, fill, grant

DISK_MIB = 96
GOOD = {"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own; the test is skipped where none may be mounted, as without root's rights."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def leave(disk: Path, kibibytes: int) -> Path:
    """Fill the disk but for so much; the file that does."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        os.posix_fallocate(file.fileno(), 0, max(free - kibibytes * 1024, 1))
    return ballast


def refused_by_the_disk(world: World) -> HubError | None:
    """What a tick says when it cannot go on."""
    try:
        world.tick()
    except HubError as error:
        return error
    return None


def settled(world: World) -> list[str]:
    """What a hub does once the cause is gone: repair, take in."""
    recover(world.home, world.settings, world.datasets)
    return [receipt.status for receipt in world.tick()]


def test_a_full_disk_stops_intake_at_any_step_and_loses_nothing(disk: Path) -> None:
    world = World.create(disk)
    world.deliver(period="2023-12")
    before = world.visits()
    world.drop(GOOD)
    failures = 0
    for kibibytes in (0, 8, 24, 48, 96, 160, 256):
        ballast = leave(disk, kibibytes)
        said = refused_by_the_disk(world)
        if said is not None:
            failures += 1
            assert said.remedy
            assert world.visits() == before
        ballast.unlink()
        recover(world.home, world.settings, world.datasets)
    assert failures >= 2
    settled(world)
    assert len(world.visits()) == 2 * len(before)
    assert [row[2] for row in world.deliveries()] == ["current", "current"]
    assert len(list(world.home.outbox.rglob("receipt.json"))) == 2


def _tick_limited(world: World, limit: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        world.tick()
    except HubError as error:
        sys.exit(7 if error.remedy else 8)


@pytest.mark.parametrize("limit", [0, 512, 4096, 20_000])
def test_a_file_that_may_not_grow_stops_intake_and_loses_nothing(tmp_path: Path, limit: int) -> None:
    """The same without any right: the kernel refuses to let a file grow past the limit."""
    world = World.create(tmp_path)
    world.deliver(period="2023-12")
    before = world.visits()
    world.drop(GOOD)
    assert exit_code(_tick_limited, world, limit) == 7
    assert world.visits() == before
    assert settled(world) == ["accepted"]
    assert len(world.visits()) == 2 * len(before)


@pytest.mark.slow
def test_a_full_disk_stops_release_and_extract_and_both_are_made_afterwards(disk: Path) -> None:
    home, settings, datasets = Home(disk / "hub"), Settings(), load_datasets()
    initialise(Context(home))
    first = fill(home, settings, persons=60)
    with Registry(home, settings) as registry:
        permit = grant(registry, dossier("study"))
        with open_lake(home, settings).writer() as engine:
            engine.execute("DELETE FROM lake.omop.person WHERE person_id % 7 = 0")
        ballast = leave(disk, 0)
        with pytest.raises(dg.Failure, match="disk refused"), told_to_dagster():
            make_release(open_lake(home, settings), checks={"passed": 1})
        with pytest.raises(dg.Failure, match="disk refused"), told_to_dagster():
            build_extract(home, settings, datasets, permit, first)
        with pytest.raises(HubError):
            registry.append("dossier.submitted", "other", "tester", {})
        with pytest.raises(HubError, match="disk refused"):
            list_releases(open_lake(home, settings))
        assert list_versions(home) == []
        ballast.unlink()
        assert list_releases(open_lake(home, settings)) == [first]
        assert make_release(open_lake(home, settings), checks={"passed": 1}).number == 2
        version = build_extract(home, settings, datasets, permit, first).version
        assert (version.number, verify_version(version)) == (1, [])
        assert registry.verify().is_intact
    assert [p.name for p in (home.projects / "study").iterdir() if p.name != ".lock"] == ["v1"]


@pytest.mark.slow
def test_a_full_disk_stops_standardisation_and_the_next_run_completes_it(disk: Path) -> None:
    hub = StandardHub(disk / "hub")
    hub.deliver(snds_rows.set_beneficiaries, "2020-01", persons=40)
    hub.deliver(snds_rows.add_flux, 0, lines=200, persons=40)
    for kibibytes in (0, 400):
        ballast = leave(disk, kibibytes)
        with pytest.raises(dg.Failure, match=r"disk refused|free space"), told_to_dagster():
            hub.standardise()
        ballast.unlink()
    hub.standardise()
    assert not hub.standardise().is_changed
    assert hub.omop()["drug_exposure"].num_rows > 0


def test_a_read_only_home_is_said_so(disk: Path) -> None:
    world = World.create(disk)
    world.deliver(period="2023-12")
    before = world.visits()
    world.drop(GOOD)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(HubError) as caught:
        world.tick()
    assert caught.value.remedy
    assert world.visits() == before
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert settled(world) == ["accepted"]


@pytest.mark.parametrize("change", ["swapped", "swapped with its check", "another", "gone", "a folder"])
def test_a_key_that_is_not_the_one_stops_before_a_byte_is_read(tmp_path: Path, change: str) -> None:
    world = World.create(tmp_path)
    folder = world.drop(GOOD)
    keys = open_keys(world.home)
    first, second = keys.path(Purpose.identity_level1), keys.path(Purpose.identity_level2)
    if change == "gone":
        first.unlink()
    elif change == "a folder":
        first.unlink()
        first.mkdir()
    elif change == "another":
        first.write_bytes(os.urandom(32))
    else:
        _swap(first, second)
        if "check" in change:
            _swap(first.with_suffix(".check"), second.with_suffix(".check"))
    with pytest.raises(KeyMaterialError) as caught:
        world.tick()
    assert caught.value.remedy
    assert (folder / "manifest.json").exists()
    assert not (world.home.vault / "tmp").exists()


def test_init_makes_no_other_key_for_a_home_that_holds_data(home: Home) -> None:
    (home.vault / "originals" / "care").mkdir(parents=True)
    for path in home.keys.glob("identity_level1*"):
        path.unlink()
    with pytest.raises(KeyMaterialError, match="identity_level1"):
        initialise(Context(home))
    assert not list(home.keys.glob("identity_level1*"))


def _swap(one: Path, other: Path) -> None:
    aside = one.with_suffix(".aside")
    shutil.move(one, aside)
    shutil.move(other, one)
    shutil.move(aside, other)
