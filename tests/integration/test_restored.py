"""Homes put together from backups of several days: what is older than what the rest has seen is told, and refused."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from intake_world import NIR, PERSONS, VISITS, World, dataset
from test_extract import Hub
from test_oppositions import follow, oppose, persons, pseudonym
from test_withdrawals import follow as follow_hub
from test_withdrawals import oppose as oppose_hub
from test_withdrawals import release

from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.opposition import RECORDED, OlderBookError
from hdh_assets.extracts.opposed import came_back, withdraw_opposed, withdraw_unproven
from hdh_assets.governance import decisions
from hdh_assets.governance.oppositions import fold_oppositions
from hdh_assets.governance.register import find_permit, today
from hdh_assets.sources.intake import run
from hdh_assets.sources.intake.lost import lost_deliveries
from hdh_assets.sources.intake.receipt import Receipt
from hdh_assets.sources.intake.run import OriginalRefusedError, retake
from hdh_assets.sources.opposed.missing import missing_identities
from hdh_assets.sources.opposed.record import accept_lost, withdraw_opposition
from resources.keys import open_keys
from resources.lake import open_lake
from resources.ledger import Ledger
from resources.oppositions import book_file
from resources.registry import RESTORED, OlderLogError, Registry
from resources.releases import greatest_delivered, make_release
from resources.vault import open_vault
from tests.children import die

LINES = {"snds_dcir.er_prs_f": "all"}


def keep(folder: Path) -> Callable[[], None]:
    """A backup of a folder; calling it puts the backup in its place."""
    backup = folder.with_name(f"{folder.name}.backup")
    shutil.copytree(folder, backup)

    def restore() -> None:
        shutil.rmtree(folder)
        shutil.copytree(backup, folder)

    return restore


def test_a_log_older_than_the_home_has_seen_is_refused_until_somebody_accepts_it(hub: Hub) -> None:
    delivered, permit = hub.deliver("one"), find_permit(hub.registry, "one")
    restore = keep(hub.home.registry)
    hub.registry.act("t", decisions.revoke("one", reason="misuse", today=today()))
    hub.registry.close()
    restore()
    for use in (hub.registry.events, lambda: hub.build("one", permit), lambda: hub.registry.append("a", "b", "c", {})):
        with pytest.raises(OlderLogError, match="ends with event 4, and has not event 5"):
            use()
    assert hub.registry.verify().problems == (
        "event 5, which this home has seen, is not in it: the log is an older one",
    )
    accepted = hub.registry.accept_older("t", "the disk died")
    assert accepted is not None
    assert (accepted.kind, accepted.data["lost"]) == (RESTORED, {"after": 4, "seen": 5})
    assert hub.registry.accept_older("t", "again") is None
    hub.registry.act("t", decisions.revoke("one", reason="misuse", today=today()))
    assert hub.registry.verify().is_intact
    assert not delivered.is_withdrawn


def test_a_log_of_another_home_is_not_taken_for_this_one(tmp_path: Path) -> None:
    ours, other = (Registry(Home(tmp_path / name), Settings()) for name in ("ours", "other"))
    for registry in (ours, other):
        registry.append("kind", "subject", "somebody", {"of": id(registry)})
        registry.close()
    shutil.rmtree(tmp_path / "ours" / "registry")
    shutil.copytree(tmp_path / "other" / "registry", tmp_path / "ours" / "registry")
    with pytest.raises(OlderLogError):
        ours.events()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A hub that took in a first delivery of p1 and p2."""
    made = World.create(tmp_path)
    made.deliver()
    return made


def test_an_older_book_lets_nobody_in_and_takes_no_opposition(world: World) -> None:
    oppose(world, "p9")
    follow(world)
    old = book_file(world.home).read_bytes()
    oppose(world, "p1")
    follow(world)
    book_file(world.home).write_bytes(old)
    for use in (
        lambda: oppose(world, "p2"),
        lambda: withdraw_opposition(world.home, world.settings, 1),
        lambda: follow(world),
        lambda: world.deliver(period="2024-02"),
    ):
        with pytest.raises(OlderBookError, match="ends with revision 1, and 2 was seen"):
            use()
    assert persons(world) == {pseudonym(world, "p2")}

    assert accept_lost(world.home, world.settings, 0) == (2,)
    assert accept_lost(world.home, world.settings, 0) == ()
    assert oppose(world, "p2") == [3]
    follow(world)
    assert persons(world) == set()
    with Registry(world.home, world.settings) as registry:
        states = [entry.state(3) for entry in fold_oppositions(registry.events())]
    assert states == ["in effect", "withdrawn", "in effect"]


def test_what_a_restored_log_lacks_of_the_book_is_announced_again(world: World) -> None:
    with Registry(world.home, world.settings) as registry:
        registry.append("kind", "subject", "somebody", {})
    restore = keep(world.home.registry)
    oppose(world, "p1")
    follow(world)
    restore()
    with Registry(world.home, world.settings) as registry:
        assert registry.accept_older("t", "the disk died")
    assert accept_lost(world.home, world.settings, 1) == ()
    with Registry(world.home, world.settings) as registry:
        assert [event.data["numbers"] for event in registry.events(RECORDED)] == [[1]]


def test_identities_that_the_vault_lost_are_told(world: World) -> None:
    def missing(kind: str = "") -> list[str]:
        vault = open_vault(world.home, open_keys(world.home))
        with open_lake(world.home, world.settings).reader() as engine:
            return missing_identities(engine, vault, world.datasets, kind)

    world.deliver(VISITS.replace("1;p1", "11;p1"), period="2024-02")
    assert missing() == []
    shutil.rmtree(world.home.vault / "identities")
    assert missing() == missing("nir") == ["care 2024-01", "care 2024-02"]
    assert missing("person") == []
    oppose(world, NIR, kind="nir")
    follow(world)
    assert len(persons(world)) == 2, "nobody is found where there is nothing to look in"


def lost(world: World) -> list[str]:
    """Deliveries that the lake forgot, as `hdh check` and `hdh backfill` see them."""
    ledger = Ledger(world.home, world.settings)
    with open_lake(world.home, world.settings).reader() as engine:
        found = lost_deliveries(world.home, ledger, engine, world.datasets)
    return [f"{each.dataset} {each.period}" for each in found]


def again(world: World, period: str) -> Receipt:
    return retake(world.home, world.settings, world.datasets, "care", period, run_id="again")


def test_deliveries_that_an_older_lake_forgot_are_told_and_loaded_back(world: World) -> None:
    """A correction too: the lake shows the rows it replaced. Of several of one period the newest comes back."""
    restore = keep(world.home.lake)
    for minutes, cost in ((1, "1"), (3, "3"), (2, "2")):
        world.deliver(VISITS.replace("12,50", cost), minutes=minutes)
    world.deliver(VISITS.replace("1;p1", "11;p1"), period="2024-02")
    before = world.visits()
    assert lost(world) == []
    restore()
    assert world.visits() != before
    assert lost(world) == ["care 2024-01", "care 2024-02"]
    assert [again(world, period).is_current for period in ("2024-01", "2024-02")] == [True, True]
    assert lost(world) == []
    assert world.visits() == before
    assert again(world, "2024-01").is_current, "what is in force by now is loaded again, as ever"
    assert world.visits() == before


def test_what_was_replaced_before_the_backup_or_never_accepted_is_not_lost(world: World) -> None:
    world.deliver(VISITS.replace("12,50", "3"), minutes=3)
    restore = keep(world.home.lake)
    world.deliver(VISITS.replace("12,50", "2"), minutes=2)
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}, period="2024-03")
    die("intake.before_commit", world.tick)
    restore()
    assert list((world.home.vault / "originals" / "care" / "2024-03").iterdir())
    assert lost(world) == []


def test_an_original_that_cannot_be_loaded_back_stays_in_the_vault(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the only one there is."""
    restore = keep(world.home.lake)
    world.deliver(VISITS.replace("1;p1", "11;p1"), period="2024-02")
    restore()
    (original,) = (world.home.vault / "originals" / "care" / "2024-02").iterdir()
    held = sorted(path.name for path in original.iterdir())
    described = dataset(thresholds={"max_reject_ratio": 0.0}, first_period="2024-03")
    with pytest.raises(OriginalRefusedError, match="is refused now"):
        retake(world.home, world.settings, {"care": described}, "care", "2024-02", run_id="again")
    monkeypatch.setattr(run, "register", _fail)
    with pytest.raises(HubError, match="the disk refused"):
        again(world, "2024-02")
    assert sorted(path.name for path in original.iterdir()) == held
    monkeypatch.undo()
    assert again(world, "2024-02").is_current


def _fail(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.postgres
def test_the_same_of_a_catalogue_restored_in_postgresql(tmp_path: Path, postgres_url: str) -> None:
    server, _, name = postgres_url.rpartition("/")
    world = World.create(tmp_path, lake_catalog=postgres_url, registry_url=f"{server}/postgres")
    world.deliver()
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}backup")
        connection.execute(f"CREATE DATABASE {name}backup TEMPLATE {name}")
        world.deliver(VISITS.replace("1;p1", "11;p1"), period="2024-02")
        before = world.visits()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {name}backup")
    assert lost(world) == ["care 2024-02"]
    assert again(world, "2024-02").is_current
    assert (lost(world), world.visits()) == ([], before)


@pytest.fixture
def hub(home: Home, settings: Settings) -> Hub:
    return Hub(home, settings)


def test_an_extract_of_a_release_that_the_lake_forgot_is_withdrawn_for_an_opposition(hub: Hub) -> None:
    restore = keep(hub.home.lake)
    lake = open_lake(hub.home, hub.settings)
    hub.release = make_release(lake, checks={}, rules="others")
    assert hub.release.number == 2
    held = hub.deliver("held", tables=LINES)
    restore()
    oppose_hub(hub, 7)
    follow_hub(hub)
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == [held.name]
    with open_lake(hub.home, hub.settings).writer() as engine:
        assert engine.execute("SELECT max(number) FROM lake.meta.release").fetchall() == [(1,)]
    assert greatest_delivered(hub.registry) == 2
    assert release(hub, 1, above=2).number == 3


def test_versions_of_which_nobody_knows_whether_they_were_looked_at_are_withdrawn(hub: Hub) -> None:
    held, other = hub.deliver("held", tables=LINES), hub.deliver("other", tables={"omop.care_site": "all"})
    spaces, log = keep(hub.home.projects), keep(hub.home.registry)
    oppose_hub(hub, 7)
    follow_hub(hub)
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets)
    hub.registry.close()
    spaces()
    log()
    hub.registry.accept_older("t", "the disk died")
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == []
    assert withdraw_unproven(hub.home, hub.settings) == [held.name, other.name]
    assert held.is_withdrawn


def test_withdrawn_extracts_that_come_back_with_a_project_space_are_withdrawn_again(hub: Hub) -> None:
    held = hub.deliver("held", tables=LINES)
    spaces = keep(hub.home.projects)
    oppose_hub(hub, 7)
    follow_hub(hub)
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == [held.name]
    assert came_back(hub.home, hub.settings) == []
    spaces()
    assert came_back(hub.home, hub.settings) == [held.name]
    assert withdraw_opposed(hub.home, hub.settings, hub.datasets) == [held.name]
    assert came_back(hub.home, hub.settings) == []
    assert held.is_withdrawn
