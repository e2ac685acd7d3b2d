"""The public side of oppositions: what the registry says of each, which is never about whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from hdh_assets.core.opposition import RECORDED, WITHDRAWN
from resources.registry import Event


@dataclass(frozen=True)
class RecordedOpposition:
    """One numbered opposition."""

    number: int
    recorded_at: datetime
    identifier_type: str
    datasets: tuple[str, ...]
    """None means all."""
    revision: int
    """The lake follows it from this revision on."""
    withdrawn_at: datetime | None = None

    def state(self, applied: int) -> str:
        """In one word, when the lake follows revision `applied`, OMOP included."""
        if self.withdrawn_at is not None:
            return "withdrawn" if applied >= self.revision else "being withdrawn"
        return "in effect" if applied >= self.revision else "recorded"


def fold_oppositions(events: Iterable[Event]) -> list[RecordedOpposition]:
    """Every opposition by number, after these events."""
    found: dict[int, RecordedOpposition] = {}
    for event in events:
        for number in event.said("numbers", list) if event.kind in {RECORDED, WITHDRAWN} else ():
            revision = event.said("revision", int)
            if event.kind == RECORDED:
                kind, datasets = event.said("identifier_type", str), tuple(event.said("datasets", list))
                found[number] = RecordedOpposition(number, event.at, kind, datasets, revision)
            elif number in found:
                found[number] = replace(found[number], withdrawn_at=event.at, revision=revision)
    return [found[number] for number in sorted(found)]
