"""Whether something must wait because an opposition is recorded that the lake does not follow yet."""

from __future__ import annotations

from resources.hub import Hub
from resources.oppositions import recorded_revision
from resources.removals import followed


def is_opposition_waiting(hub: Hub) -> bool:
    """Whether the trusted third party still has rows to remove or to bring back."""
    with hub.registry() as registry:
        recorded = recorded_revision(registry)
    with hub.lake.reader() as engine:
        return followed(engine).is_waiting(recorded)
