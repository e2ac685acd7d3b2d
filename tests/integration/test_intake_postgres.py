"""Intake with the lake's catalogue and the ledger in PostgreSQL: the same answers, and still nothing twice."""

from __future__ import annotations

import contextlib
import multiprocessing
from pathlib import Path

import pytest
from intake_world import PERSONS, VISITS, World

from hdh_assets.core.errors import HubError
from hdh_assets.sources.intake.recover import recover
from resources.ledger import Ledger

pytestmark = pytest.mark.postgres


@pytest.fixture
def world(tmp_path: Path, postgres_url: str) -> World:
    return World.create(tmp_path, lake_catalog=postgres_url, registry_url=postgres_url)


def tick(world: World) -> None:
    with contextlib.suppress(HubError):
        world.tick()


def test_two_processes_load_one_delivery_once_and_its_correction_replaces_it(world: World) -> None:
    world.drop({"PERSONS.csv": PERSONS, "VISITS.csv": VISITS})
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=tick, args=(world,)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert len(world.visits()) == 3
    assert world.deliver(VISITS + "4;p1;;;\n", minutes=1).status == "accepted"
    assert len(world.visits()) == 4
    assert not Ledger(world.home, world.settings).under_way()
    assert recover(world.home, world.settings, world.datasets) == []
