"""Taking a delivered version back: first recorded, with why, then emptied, a notice in its place.

Which versions, and why, is in `opposed.py`, `ended.py` and `taken_back.py`. The project's space is held by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from hdh_assets.core.crash import crash_point
from hdh_assets.core.errors import HubError
from hdh_assets.extracts.documents import render
from hdh_assets.extracts.versions import Version, empty, leftovers
from hdh_assets.governance.states import End
from resources.registry import Event, Registry, current_actor

EXTRACT_WITHDRAWN = "extract.withdrawn"


class Cause(StrEnum):
    """Why a version was taken back; the value is what the event log says."""

    opposition = "opposition"
    permit_ended = "permit ended"
    decision = "decision"


_WORDS = {
    Cause.opposition: "somebody objected",
    Cause.permit_ended: "its permit ended",
    Cause.decision: "it was taken back",
}
_NOTICES = {
    Cause.opposition: "opposed.md.j2",
    Cause.permit_ended: "ended.md.j2",
    Cause.decision: "taken_back.md.j2",
}


@dataclass(frozen=True)
class Withdrawal:
    """What the event log says of one version. `end` is that of the permit, `reason` that of a decision, where it is
    the cause.
    """

    cause: Cause
    end: End | None = None
    reason: str = ""
    on: date | None = None
    """When it was recorded; None before."""

    @property
    def words(self) -> str:
        """The cause, for people."""
        return _WORDS[self.cause] + (f" ({self.reason})" if self.reason else "")

    @property
    def notice(self) -> str:
        """What is left in the place of the data, in French and English."""
        return render(_NOTICES[self.cause], end=self.end, reason=self.reason)


def withdrawals(registry: Registry) -> dict[tuple[str, int], Withdrawal]:
    """What was ever withdrawn, by project and number of the version."""
    events = registry.events(EXTRACT_WITHDRAWN)
    return {(event.subject, event.said("version", int)): _read(event) for event in events}


def of_each(projects: Iterable[str], withdraw_of: Callable[[str], list[str]]) -> list[str]:
    """What was withdrawn of each project. One whose space cannot be cleared keeps no other from it.

    Raises `HubError` naming those, once all were tried.
    """
    done, left = [], []
    for project in projects:
        try:
            done += withdraw_of(project)
        except OSError as error:
            left.append(f"{project} ({type(error).__name__})")
    if left:
        raise HubError(
            f"extracts could not be withdrawn from the spaces of {', '.join(left)}",
            remedy="look at who owns these folders of projects/ and what was put there; it is tried again by itself",
        )
    return done


def is_left(version: Version) -> bool:
    """Whether anything of the version's data is still there."""
    return not version.is_withdrawn or bool(leftovers(version))


def withdraw(registry: Registry, version: Version, why: Withdrawal) -> None:
    """Record it unless it is recorded already, then empty the version. Can be done again after a crash."""
    known = withdrawals(registry).get((version.project, version.number))
    if known is None:
        data = {"version": version.number, "release": version.basis.release, "reason": str(why.cause)} | _details(why)
        registry.append(EXTRACT_WITHDRAWN, version.project, current_actor(), data)
        crash_point("withdrawal.recorded")
    empty(version, (known or why).notice)


def _read(event: Event) -> Withdrawal:
    end = event.data.get("permit_end")
    return Withdrawal(
        Cause(event.said("reason", str)),
        End(date.fromisoformat(end["day"]), end["reason"]) if end else None,
        event.data.get("because", ""),
        event.at.date(),
    )


def _details(why: Withdrawal) -> dict[str, Any]:
    end = {"permit_end": asdict(why.end) | {"day": why.end.day.isoformat()}} if why.end else {}
    return end | ({"because": why.reason} if why.reason else {})
