"""Oppositions withdrawn: the rows come back, or are told and tried again, and nobody else waits for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from intake_world import NIR, PERSONS, VISITS, World, dataset
from test_oppositions import follow, oppose, persons, pseudonym, restarted

from hdh_assets.catalog.measure import measure
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import HubError
from hdh_assets.core.opposition import WITHDRAWN
from hdh_assets.governance.oppositions import fold_oppositions
from hdh_assets.sources.opposed.record import withdraw_opposition
from resources.lake import open_lake
from resources.oppositions import open_book, recorded_revision
from resources.registry import Registry
from resources.removals import followed
from tests.children import die


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A hub that took in a first delivery of p1 and p2."""
    made = World.create(tmp_path)
    made.deliver()
    return made


def with_codes(codes: dict[str, str], max_reject_ratio: float = 0.7) -> Dataset:
    """The dataset of persons and visits, their sexes and its patience."""
    content = dataset(thresholds={"max_reject_ratio": max_reject_ratio}).model_dump(mode="json")
    content["tables"][0]["columns"][3]["codes"] = codes
    return Dataset.model_validate(content)


def test_who_changes_their_mind_comes_back_whole(world: World) -> None:
    before = world.visits()
    (number,) = oppose(world, NIR, kind="nir")
    oppose(world, "p2")
    follow(world)
    withdraw_opposition(world.home, world.settings, number)
    done = follow(world)
    assert done.deliveries_restored == 1
    assert persons(world) == {pseudonym(world, "p1")}
    assert world.visits() == [row for row in before if row[1] == pseudonym(world, "p1")]
    entry = open_book(world.home).read().find(number)
    assert (entry.keys, entry.places, entry.is_restored) == ((), (), True)
    with Registry(world.home, world.settings) as registry:
        assert [e.withdrawn_at is not None for e in fold_oppositions(registry.events())] == [True, False]
        assert registry.verify().is_intact


def test_nothing_that_producers_or_readers_see_tells_in_which_periods_somebody_came_back(world: World) -> None:
    """The receipts of just these were written anew, and the catalogue said when they had been loaded again."""
    later = VISITS.replace("1;p1", "11;p2").replace("2;p2", "12;p2").replace("3;p1", "13;p2")
    world.deliver(later, PERSONS.replace("p1;", "p3;"), period="2024-02")

    def shown() -> tuple[dict[Path, bytes], list[tuple[str, str]]]:
        receipts = {path: path.read_bytes() for path in world.home.outbox.rglob("*") if path.is_file()}
        with open_lake(world.home, world.settings).writer() as engine:
            entry = measure(engine, world.datasets["care"])
        return receipts, [(delivery.period, delivery.loaded_at) for delivery in entry.deliveries]

    before = shown()
    (number,) = oppose(world, "p1")
    follow(world)
    withdraw_opposition(world.home, world.settings, number)
    assert follow(world).deliveries_restored == 1
    assert shown() == before


@pytest.mark.parametrize("point", ["opposition.retaken", "opposition.before_commit", "opposition.applied"])
def test_killed_while_rows_come_back_the_next_run_finishes_it(world: World, point: str) -> None:
    before = world.visits()
    (number,) = oppose(world, "p1")
    follow(world)
    withdraw_opposition(world.home, world.settings, number)
    die(point, follow, world)
    restarted(world)
    assert world.visits() == before
    with Registry(world.home, world.settings) as registry:
        assert len(registry.events(WITHDRAWN)) == 1


def test_a_delivery_that_cannot_come_back_keeps_nobody_in_and_comes_back_once_it_can(tmp_path: Path) -> None:
    world = World.create(tmp_path)
    lenient = {"1": "man", "2": "woman", "3": "other"}
    world.datasets["care"] = with_codes(lenient)
    world.deliver()
    later = VISITS.replace("1;p1", "11;p1").replace("2;p2", "12;p2").replace("3;p1", "13;p1")
    world.deliver(later, PERSONS.replace(";2\n", ";3\n"), period="2024-02")
    before = world.visits()
    (number,) = oppose(world, "p1")
    follow(world)
    withdraw_opposition(world.home, world.settings, number)
    oppose(world, "p2")
    world.datasets["care"] = with_codes({"1": "man", "2": "woman"}, max_reject_ratio=0.1)
    with pytest.raises(HubError, match=r"original of care 2024-02 is refused now \(.*too_many_rejects.*\)"):
        follow(world)
    assert persons(world) == {pseudonym(world, "p1")}
    assert {row[5] for row in world.visits()} == {"2024-01"}
    with world.lake().reader() as engine, Registry(world.home, world.settings) as registry:
        assert not followed(engine).is_waiting(recorded_revision(registry))
    assert [place.period for place in open_book(world.home).read().find(number).places] == ["2024-02"]
    world.datasets["care"] = with_codes(lenient)
    assert follow(world).deliveries_restored == 1
    assert world.visits() == [row for row in before if row[1] == pseudonym(world, "p1")]
    assert open_book(world.home).read().to_restore == ()
    assert follow(world).deliveries_restored == 0


def test_what_cannot_come_back_is_given_up_once_another_delivery_replaces_it(tmp_path: Path) -> None:
    world = World.create(tmp_path, with_codes({"1": "man", "2": "woman", "3": "other"}))
    world.deliver(persons=PERSONS.replace(";2\n", ";3\n"))
    (number,) = oppose(world, "p1")
    follow(world)
    withdraw_opposition(world.home, world.settings, number)
    world.datasets["care"] = with_codes({"1": "man", "2": "woman"}, max_reject_ratio=0.1)
    for _ in range(2):
        with pytest.raises(HubError, match="is refused now"):
            follow(world)
    assert [entry.number for entry in open_book(world.home).read().to_restore] == [number]
    world.deliver(minutes=1)
    assert follow(world).deliveries_restored == 0
    assert open_book(world.home).read().to_restore == ()
    assert persons(world) == {pseudonym(world, "p1"), pseudonym(world, "p2")}
