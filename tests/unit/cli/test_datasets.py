"""What `hdh dataset show` says of a dataset, beside its catalogue entry."""

from __future__ import annotations

from pathlib import Path

from hdh_assets.catalog.settled import settled
from hdh_assets.cli.console import Context
from hdh_assets.cli.datasets import _refused, _settled_facts, _told
from hdh_assets.core.descriptor_files import load_datasets
from tests.integration.intake_world import VISITS, World

DATASETS = load_datasets()
DCIR = DATASETS["snds_dcir"]


def test_what_completes_a_period_is_told_as_what_it_needs_until_one_is_complete() -> None:
    few = _settled_facts(settled(DCIR, ["2024-01", "2024-02", "2024-03"]))
    assert few["complete periods of care"] == "none yet (one needs 6 later deliveries)"
    many = _settled_facts(settled(DCIR, [f"2024-{month:02}" for month in range(1, 9)]))
    assert many["complete periods of care"] == "3, 2023-12 to 2024-02 (each with 6 later deliveries loaded)"


def test_small_counts_of_rows_are_told_of_what_is_about_nobody_alone() -> None:
    assert [_told(DCIR, rows) for rows in (0, 1, 10, 11)] == [0, "fewer than 11", "fewer than 11", 11]
    assert _told(DATASETS["commune_context"], 3) == 3


def test_periods_refused_and_not_corrected_are_told(tmp_path: Path) -> None:
    world = World.create(tmp_path)
    context = Context(world.home)
    assert _refused(context, world.datasets["care"]) == []
    world.home.settings_file.write_text("", "utf-8")
    world.deliver(VISITS.replace("NUM;", "NO;"), period="2024-01")
    world.deliver(period="2024-02")
    assert _refused(context, world.datasets["care"]) == ["2024-01"]
