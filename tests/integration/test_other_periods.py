"""Rows that two periods bring: both are loaded, and the producer is told."""

from __future__ import annotations

from pathlib import Path

from intake_world import VISITS, World, dataset


def test_rows_of_another_period_are_counted_and_told_whichever_came_first(tmp_path: Path) -> None:
    content = dataset().model_dump(mode="json")
    content["tables"][1]["unique_across_periods"] = True
    world = World.create(tmp_path, dataset(**content))
    assert world.deliver(period="2024-02").problems == ()
    receipt = world.deliver(VISITS + "4;p1;01/02/2024;7;\n", period="2024-01")
    assert [(p.rule, p.count, p.is_rejected) for p in receipt.problems] == [("other_period", 3, False)]
    assert (receipt.status, receipt.row_count) == ("accepted", 6)
    assert "count twice" in receipt.problems[0].found.en
    assert len(world.visits()) == 7
    corrected = world.deliver("NUM;PERSON;DAY;COST;NOTE\n5;p1;31/01/2024;12,50;a\n", period="2024-01", minutes=5)
    assert corrected.problems == ()
    again = world.deliver(VISITS.replace(";a", ";c"), period="2024-02", minutes=5)
    assert again.problems == ()  # its own earlier delivery is no other period
