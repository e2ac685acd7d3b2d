"""What the registry tells of oppositions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hdh_assets.core.opposition import RECORDED, WITHDRAWN
from hdh_assets.governance.oppositions import fold_oppositions
from resources.registry import Event

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def event(seq: int, kind: str, revision: int, *numbers: int) -> Event:
    data: dict[str, Any] = {
        "numbers": list(numbers),
        "identifier_type": "nir",
        "datasets": ["snds_dcir"],
        "revision": revision,
    }
    return Event(seq, NOW + timedelta(days=seq), kind, "oppositions", "t", data, "", "")


def test_every_number_of_an_event_is_an_opposition_with_its_day_and_scope() -> None:
    first, second = fold_oppositions([event(1, RECORDED, 1, 1, 2)])
    assert (first.number, second.number) == (1, 2)
    assert (first.recorded_at, first.datasets) == (NOW + timedelta(days=1), ("snds_dcir",))


def test_the_state_tells_whether_the_lake_follows() -> None:
    events = [event(1, RECORDED, 1, 1), event(2, RECORDED, 2, 2), event(3, WITHDRAWN, 3, 1)]
    states = {applied: [found.state(applied) for found in fold_oppositions(events)] for applied in (1, 2, 3)}
    assert states == {
        1: ["being withdrawn", "recorded"],
        2: ["being withdrawn", "in effect"],
        3: ["withdrawn", "in effect"],
    }


def test_other_events_are_passed_over() -> None:
    assert fold_oppositions([Event(1, NOW, "permit.granted", "p", "t", {}, "", "")]) == []
