"""Killed at each named point, then restarted: whole or nothing, nothing twice, and no identity left in clear."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import shutil
import signal
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest
from intake_world import NAME, NIR, PERSONS, VISITS, World, identities_in

from hdh_assets.core.errors import HubError, KeyMaterialError
from hdh_assets.sources.intake import run
from hdh_assets.sources.intake.decide import decide
from hdh_assets.sources.intake.recover import recover
from hdh_assets.sources.intake.run import retake, take_in
from resources.inbox import scan
from resources.keys import Purpose, open_keys
from resources.ledger import Ledger
from resources.vault import open_vault
from tests.children import begin, die
from tests.leaks import assert_no_identity

PLANTED = (NIR, NAME)

POINTS = [
    "intake.started",
    "intake.after_copy",
    "intake.after_file",
    "intake.after_load",
    "intake.after_keys",
    "intake.keeping",
    "intake.before_commit",
    "intake.after_commit",
    "intake.after_receipt",
    "intake.after_cleanup",
    "intake.finished",
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.create(tmp_path)


def tick(world: World) -> list[str]:
    """What a restarted hub does: recover, decide, take in."""
    recover(world.home, world.settings, world.datasets)
    due = decide(Ledger(world.home, world.settings).view(), scan(world.home, world.datasets))
    return [world.take(dropped).status for dropped in due]


def test_no_identity_in_clear_anywhere_after_success_refusal_and_rejects(world: World) -> None:
    assert world.deliver().status == "accepted"
    assert world.deliver(VISITS, PERSONS + f"p1;{NIR};{NAME};1\n", period="2024-02").status == "refused"
    receipt = world.deliver(VISITS, PERSONS + f"p3;{NIR};{NAME};7\n", period="2024-03")
    assert receipt.status == "accepted_with_rejects"
    assert_no_identity(world.home, PLANTED)
    for path in world.home.vault.rglob("*"):
        assert not path.is_file() or NIR.encode() not in path.read_bytes()
    rejected = [path for path in world.home.quarantine.rglob("*.parquet") if path.is_file()]
    assert rejected
    assert not any(NIR.encode() in path.read_bytes() for path in rejected)


def test_what_a_dead_run_left_waits_while_its_dataset_is_loaded(world: World) -> None:
    """A running hub recovers too: the originals it would remove may be those of a run that loads them just now."""
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    die("intake.before_commit", World.tick, world)
    vault = open_vault(world.home, open_keys(world.home))
    with vault.dataset_lock("care"):
        recover(world.home, world.settings, world.datasets)
        assert list((world.home.vault / "originals").glob("*/*/*"))
    assert recover(world.home, world.settings, world.datasets) == [
        "care 2024-01: was not loaded when the run died; it is due again"
    ]
    assert not list((world.home.vault / "originals").glob("*/*/*"))


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_then_restarted_loads_once_and_leaks_nothing(world: World, point: str) -> None:
    world.deliver(period="2023-12")
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    die(point, World.tick, world)
    assert len(world.visits()) in {3, 6}
    assert_no_identity(world.home, PLANTED)
    tick(world)
    assert tick(world) == []
    assert len(world.visits()) == 6
    assert [row[2] for row in world.deliveries()] == ["current", "current"]
    assert not list(world.home.inbox.rglob("manifest.json"))
    assert not list((world.home.vault / "tmp").iterdir())
    assert len(list(world.home.outbox.rglob("receipt.json"))) == 2
    assert not Ledger(world.home, world.settings).under_way()
    assert_no_identity(world.home, PLANTED)


class StoppedError(BaseException):
    """What the signal of the next test raises."""


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.02, 0.04, 0.08])
def test_stopped_around_the_commit_the_vault_has_what_the_lake_has(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """By a signal so long after the last step before the commit: in it, or when it is done and nobody was told."""

    def stop(*_: object) -> None:
        raise StoppedError

    def arm(name: str) -> None:
        if name == "intake.before_commit":
            threading.Timer(seconds, os.kill, [os.getpid(), signal.SIGUSR1]).start()

    world.deliver(period="2023-12")
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    former = signal.signal(signal.SIGUSR1, stop)
    with monkeypatch.context() as patched, contextlib.suppress(StoppedError, RuntimeError):
        patched.setattr(run, "crash_point", arm)
        world.tick()
        time.sleep(seconds)
    signal.signal(signal.SIGUSR1, former)
    loaded = {row[0] for row in world.deliveries()}
    assert {path.parent.parent.name for path in (world.home.vault / "originals").rglob("manifest.json")} == loaded
    assert len(list((world.home.vault / "identities").rglob("*.parquet"))) == len(loaded)
    assert set(tick(world)) <= {"accepted", "already_received"}
    assert len(world.visits()) == 6
    receipt = retake(world.home, world.settings, world.datasets, "care", "2024-01", run_id="again")
    assert receipt.status == "accepted"


@pytest.mark.parametrize("point", ["intake.after_receipt", "intake.setting_aside", "intake.after_cleanup"])
def test_killed_while_refusing_then_restarted_is_refused_once(world: World, point: str) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS.replace(";b", ";\0")})
    die(point, World.tick, world)
    tick(world)
    assert tick(world) == []
    assert len(list(world.home.quarantine.rglob("manifest.json"))) == 1
    assert not world.deliveries()


def test_a_receipt_altered_before_the_restart_stops_nothing(world: World) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS.replace(";b", ";\0")})
    die("intake.after_cleanup", World.tick, world)
    (answer,) = world.home.outbox.rglob("receipt.json")
    answer.write_text("[]")
    assert tick(world) == []
    assert world.deliver().status == "accepted"


def test_pseudonyms_are_those_of_pythons_hmac(world: World) -> None:
    world.deliver()
    keys = open_keys(world.home)
    k1, k2 = (keys.get(purpose).hex().encode() for purpose in (Purpose.identity_level1, Purpose.identity_level2))

    def pseudonym(identifier: str) -> str:
        first = hmac.new(k1, f"FR-HDH|v1|person|{identifier}".encode(), hashlib.sha256).hexdigest()
        return str(UUID(hmac.new(k2, first.encode(), hashlib.sha256).hexdigest()[:32]))

    assert {row[1] for row in world.visits()} == {pseudonym("p1"), pseudonym("p2")}
    ((delivery,),) = world.rows("SELECT delivery_id FROM lake.meta.delivery")
    vault = open_vault(world.home, keys)
    identities = identities_in(vault, vault.identities("care", "persons", str(delivery)))
    assert {"id": pseudonym("p1"), "nir": NIR, "name": NAME} in identities
    assert len(identities) == 2


def test_redelivery_of_same_digest_changes_nothing(world: World) -> None:
    first = world.deliver()
    before = world.visits()
    again = world.deliver()
    assert (again.digest, again.status) == (first.digest, "already_received")
    assert world.visits() == before
    assert len(world.deliveries()) == 1
    assert not list(world.home.inbox.rglob("manifest.json"))


def test_new_digest_replaces_its_period_and_the_old_version_stays_readable(world: World) -> None:
    version = world.deliver().data_version
    world.deliver(VISITS + "4;p1;;;\n", minutes=1)
    assert len(world.visits()) == 4
    assert sorted(row[2] for row in world.deliveries()) == ["current", "superseded"]
    from resources.lake import open_lake

    assert version
    with open_lake(world.home, world.settings).reader(snapshot=int(version)) as engine:
        assert engine.execute("SELECT count(*) FROM lake.care.visits").fetchone() == (3,)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_any_order_gives_the_same_tables(world: World, order: tuple[int, ...]) -> None:
    deliveries = [("2024-01", VISITS, 0), ("2024-01", VISITS + "4;p1;;;\n", 1), ("2024-02", VISITS, 0)]
    for number in order:
        period, visits, minutes = deliveries[number]
        world.deliver(visits, period=period, minutes=minutes)
    assert [(row[0], row[5]) for row in world.visits()] == [
        (1, "2024-01"), (1, "2024-02"), (2, "2024-01"), (2, "2024-02"), (3, "2024-01"), (3, "2024-02"), (4, "2024-01"),
    ]  # fmt: skip


def test_two_seals_of_one_instant_give_the_same_tables_in_both_orders(tmp_path: Path) -> None:
    contents = [VISITS, VISITS + "4;p1;;;\n"]
    found = []
    for order in (contents, contents[::-1]):
        world = World.create(tmp_path / str(len(order[0])))
        receipts = [world.deliver(visits) for visits in order]
        assert {receipt.status for receipt in receipts} == {"accepted"}
        found.append(([row[0] for row in world.visits()], world.deliveries()))
        assert world.tick() == []
    assert found[0] == found[1]
    status = {digest: status for _, digest, status in found[0][1]}
    assert status == {max(status): "current", min(status): "superseded"}


def test_an_older_snapshot_is_recorded_but_not_shown(tmp_path: Path) -> None:
    from intake_world import dataset

    world = World.create(tmp_path, dataset(mode="snapshot"))
    world.deliver(period="2024-02")
    late = world.deliver(VISITS + "4;p1;;;\n", period="2024-01")
    assert (late.status, late.is_current, len(world.visits())) == ("accepted", False, 3)
    assert [(row[0], row[2]) for row in world.deliveries()] == [("2024-01", "superseded"), ("2024-02", "current")]


def test_a_wrong_key_stops_before_a_byte_is_read(world: World) -> None:
    folder = world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    (dropped,) = scan(world.home, world.datasets)
    for content in (b"", b"0" * 32, os.urandom(32)):
        key = open_keys(world.home).path(Purpose.identity_level1)
        key.write_bytes(content)
        with pytest.raises(KeyMaterialError):
            take_in(world.home, world.settings, world.datasets, dropped, run_id="r")
    assert folder.exists()
    assert not (world.home.vault / "tmp").exists()


def test_two_processes_on_one_delivery_load_it_once(world: World) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    children = [begin(_tick_quietly, world) for _ in range(2)]
    for child in children:
        child.join(120)
    assert len(world.visits()) == 3
    assert len(world.deliveries()) == 1


def _tick_quietly(world: World) -> None:
    with contextlib.suppress(HubError):
        world.tick()


def test_retake_loads_the_period_again_from_the_encrypted_original(world: World) -> None:
    world.deliver()
    before = world.visits()
    receipt = retake(world.home, world.settings, world.datasets, "care", "2024-01", run_id="again")
    assert receipt.status == "accepted"
    assert world.visits() == before
    assert world.rows("SELECT run_id FROM lake.meta.delivery") == [("again",)]
    with pytest.raises(HubError, match="nothing was ever accepted"):
        retake(world.home, world.settings, world.datasets, "care", "2025-01", run_id="again")
    shutil.rmtree(world.home.vault / "originals" / "care" / "2024-01")
    with pytest.raises(HubError, match="no longer in the vault"):
        retake(world.home, world.settings, world.datasets, "care", "2024-01", run_id="again")
    assert world.visits() == before
