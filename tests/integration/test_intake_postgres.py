"""Intake with the lake's catalogue and the ledger in PostgreSQL: the same answers, and still nothing twice."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path

import duckdb
import pytest
from intake_world import PERSONS, VISITS, World, dataset

from hdh_assets.core.errors import HubError
from hdh_assets.sources.intake.recover import recover
from hdh_assets.sources.intake.run import take_in
from resources.engine_errors import engine_failure
from resources.inbox import Dropped, scan
from resources.lake import open_lake
from resources.ledger import Ledger
from tests.children import begin

pytestmark = pytest.mark.postgres


@pytest.fixture
def world(tmp_path: Path, postgres_url: str) -> World:
    return World.create(tmp_path, lake_catalog=postgres_url, registry_url=postgres_url)


def tick(world: World) -> None:
    with contextlib.suppress(HubError):
        world.tick()


def test_two_processes_load_one_delivery_once_and_its_correction_replaces_it(world: World) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    children = [begin(tick, world) for _ in range(2)]
    for child in children:
        child.join(120)
    assert len(world.visits()) == 3
    assert world.deliver(VISITS + "4;p1;;;\n", minutes=1).status == "accepted"
    assert len(world.visits()) == 4
    assert not Ledger(world.home, world.settings).under_way()
    assert recover(world.home, world.settings, world.datasets) == []


def test_a_correction_that_is_done_first_does_not_stop_a_delivery_of_another_dataset(
    tmp_path: Path, postgres_url: str
) -> None:
    """Both change the register: the slow one must not have read for nothing."""
    slow, fast = dataset(), dataset(id="other")
    world = World.create(tmp_path, slow, fast, lake_catalog=postgres_url, registry_url=postgres_url)
    for minutes in (0, 1):
        for name in ("care", "other"):
            world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS}, of=name, minutes=minutes)
        slow_one, fast_one = sorted(scan(world.home, world.datasets), key=lambda dropped: dropped.dataset)
        fast_ones = [fast_one]
        receipt = take_in(
            world.home,
            world.settings,
            world.datasets,
            slow_one,
            run_id="slow",
            on_progress=partial(_take_one, world, fast_ones),
        )
        assert (receipt.status, receipt.dataset, fast_ones) == ("accepted", "care", [])
    register = world.rows("SELECT dataset, status, count(*) FROM lake.meta.delivery GROUP BY ALL ORDER BY ALL")
    assert register == [(name, status, 1) for name in ("care", "other") for status in ("current", "superseded")]


def _take_one(world: World, waiting: list[Dropped], doing: str) -> None:
    """Take in one delivery when another has loaded its first file and is at its second."""
    while waiting and doing.endswith("VISITS.csv"):
        assert world.take(waiting.pop(), "fast").status == "accepted"


def test_a_conflict_of_two_writers_is_told_as_such(world: World) -> None:
    lake = open_lake(world.home, world.settings)
    with lake.writer() as first, lake.writer() as second:
        first.execute("CREATE TABLE lake.main.shared AS SELECT 1 AS n")
        second.execute("BEGIN")
        second.execute("INSERT INTO lake.main.shared VALUES (2)")
        first.execute("DELETE FROM lake.main.shared")
        with pytest.raises(duckdb.TransactionException) as conflict:
            second.execute("COMMIT")
        assert "another process changed the same tables first" in engine_failure(conflict.value).message
