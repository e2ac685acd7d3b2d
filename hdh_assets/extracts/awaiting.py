"""Which permits still wait for their extract. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hdh_assets.governance.permit import Permit


def awaiting(permits: Iterable[Permit], delivered: Collection[tuple[str, int]]) -> list[Permit]:
    """Permits of which nothing was delivered yet; `delivered` has (project, permit number) of every version."""
    return [permit for permit in permits if (permit.project, permit.number) not in delivered]
