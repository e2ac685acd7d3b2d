"""Where a project stands: a fold over the events of the registry, and which step may follow.

Here: states and the table of allowed steps. Making the events is in `decisions.py`; the log is `resources/registry.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from hdh_assets.core.errors import RefusedError
from resources.registry import DamagedLogError, Event


class Status(StrEnum):
    """Of a project's latest dossier."""

    submitted = "submitted"
    favourable = "favourable"
    """The committee's latest opinion is favourable; the decision is not taken."""
    unfavourable = "unfavourable"
    granted = "granted"
    refused = "refused"
    revoked = "revoked"
    withdrawn = "withdrawn"
    expired = "expired"


class Step(StrEnum):
    """What people do to a project; the value is the kind of the event."""

    submit = "dossier.submitted"
    amend = "dossier.amended"
    give_opinion = "opinion.given"
    grant = "permit.granted"
    refuse = "permit.refused"
    revoke = "permit.revoked"
    withdraw = "project.withdrawn"


_KINDS: frozenset[str] = frozenset(Step)
_PENDING = frozenset({Status.submitted, Status.favourable, Status.unfavourable})
_CLOSED = frozenset({Status.refused, Status.revoked, Status.withdrawn, Status.expired})

ALLOWED: dict[Step, frozenset[Status | None]] = {
    Step.submit: _CLOSED | {None},
    Step.amend: _PENDING | {Status.granted},
    Step.give_opinion: _PENDING,
    Step.grant: frozenset({Status.favourable}),
    Step.refuse: _PENDING,
    Step.revoke: frozenset({Status.granted}),
    Step.withdraw: _PENDING | {Status.granted},
}
"""From which status each step may be taken; None is a project nobody has heard of."""

_REASONS: dict[Step, tuple[str, str]] = {
    Step.submit: ("its dossier is still open", "use `hdh project amend` to file a new version"),
    Step.amend: ("only an open or granted dossier can be amended", "file a new one with `hdh project submit`"),
    Step.give_opinion: ("the committee gives its opinion before the decision", "amend the dossier first"),
    Step.grant: ("a permit follows a favourable opinion", "record one with `hdh committee opinion {name}`"),
    Step.refuse: ("only a dossier awaiting a decision can be refused", "revoke the permit if there is one"),
    Step.revoke: ("no permit is in force", "see `hdh project show {name}`"),
    Step.withdraw: ("only an open or granted dossier can be withdrawn", "nothing remains to be withdrawn"),
}


def is_in_force(expires: date, today: date) -> bool:
    """Whether a permit that expires on that day still is in force; that day is its last one."""
    return today <= expires


@dataclass(frozen=True)
class End:
    """The end of a permit. Without a reason it expired: the day is its last one."""

    day: date
    reason: str = ""


@dataclass(frozen=True)
class Project:
    """Where one project stands after the events so far."""

    id: str
    status: Status
    dossier: Event
    """The latest version filed; after an amendment was refused, the one that was granted and stands."""
    dossier_version: int = 1
    """Its number."""
    versions: int = 1
    """How many were ever filed."""
    opinions: tuple[Event, ...] = ()
    """On the latest version."""
    permit: Event | None = None
    """The grant in force, unless it has expired since; a pending amendment leaves it in force."""
    permits: int = 0
    """How many were ever granted."""
    granted: Event | None = None
    """The dossier of the last of them."""
    granted_version: int = 0
    """Its number; 0 where none was granted."""
    end: End | None = None
    """How the last permit ended, where it no longer is `permit`."""
    ends: tuple[tuple[int, End], ...] = ()
    """Permits that had ended when a later one was granted: the number of the last of them, and how they ended."""
    history: tuple[Event, ...] = ()

    def status_on(self, today: date) -> Status:
        """The status once time has passed: a grant whose permit ended is expired."""
        is_over = self.status is Status.granted and not self.has_permit_on(today)
        return Status.expired if is_over else self.status

    def has_permit_on(self, today: date) -> bool:
        """Whether a permit is in force; one that does not say until when is."""
        return self.permit is not None and (self.expires is None or is_in_force(self.expires, today))

    @property
    def expires(self) -> date | None:
        """The last day of the permit; None without one, and of one that does not say so."""
        try:
            return date.fromisoformat(self.permit.said("permit.expires", str)) if self.permit else None
        except (DamagedLogError, ValueError):
            return None

    def permit_end(self, today: date) -> End | None:
        """How the last permit ended; None while one is in force and where none ever was."""
        if self.has_permit_on(today):
            return None
        return End(self.expires) if self.expires else self.end

    def end_of(self, permit: int, today: date) -> End | None:
        """How the permit of that number ended; None while it is in force, or an amendment of it."""
        return next((end for last, end in self.ends if permit <= last), None) or self.permit_end(today)


def fold(events: Iterable[Event]) -> dict[str, Project]:
    """Every project by id, after these events, in the order they were first filed."""
    projects: dict[str, Project] = {}
    for event in events:
        if event.kind in _KINDS:
            projects[event.subject] = _after(projects.get(event.subject), event)
    return projects


def check_step(project: Project | None, name: str, step: Step, today: date) -> None:
    """Raise `RefusedError`, with the reason, when `step` may not be taken now."""
    status = project.status_on(today) if project else None
    if status in ALLOWED[step]:
        return
    if step is Step.revoke and project is not None and project.has_permit_on(today) and status in _PENDING:
        return  # an amendment is pending, the earlier permit is in force
    if project is None:
        raise RefusedError(f"no project is called {name}", remedy="see `hdh project list`")
    reason, remedy = _REASONS[step]
    way_on = _ways_on(step, status) or remedy.format(name=name)
    raise RefusedError(f"project {name} is {status}: {reason}", remedy=way_on)


def _ways_on(step: Step, status: Status | None) -> str:
    """What leads further from where a project stands; empty where the step itself says it."""
    if step not in {Step.amend, Step.give_opinion, Step.grant}:
        return ""
    if status is Status.granted:
        return "its permit is in force: to change it, file an amendment with `hdh project amend`"
    return "file a new dossier with `hdh project submit`" if status in _CLOSED else ""


def _after(project: Project | None, event: Event) -> Project:
    """The project after one event; an event that may not follow was never appended (`decisions.py`)."""
    step = Step(event.kind)
    if project is None:
        return Project(event.subject, Status.submitted, event, history=(event,))
    project = replace(project, history=(*project.history, event))
    match step:
        case Step.submit | Step.amend:
            filed = project.versions + 1
            project = replace(project, status=Status.submitted, dossier=event, dossier_version=filed, versions=filed)
            return replace(project, opinions=())
        case Step.give_opinion:
            status = Status.favourable if event.data.get("favourable") else Status.unfavourable
            return replace(project, status=status, opinions=(*project.opinions, event))
        case Step.grant:
            end = project.permit_end(event.at.date())
            ends = (*project.ends, (project.permits, end)) if end else project.ends
            project = replace(project, permit=event, permits=project.permits + 1, ends=ends)
            return replace(
                project, status=Status.granted, granted=project.dossier, granted_version=project.dossier_version
            )
        case Step.refuse:
            if project.granted is None or not project.has_permit_on(event.at.date()):
                return replace(project, status=Status.refused)
            # A refused amendment leaves the permit in force as it was granted.
            project = replace(project, dossier=project.granted, dossier_version=project.granted_version, opinions=())
            return replace(project, status=Status.granted)
        case Step.revoke:
            status = Status.revoked if project.status is Status.granted else project.status
            return replace(_ended(project, event), status=status)
        case Step.withdraw:
            return replace(_ended(project, event), status=Status.withdrawn)


def _ended(project: Project, event: Event) -> Project:
    """The project without its permit, which ended with the event unless it had before."""
    day = event.at.date()
    if project.has_permit_on(day):
        return replace(project, permit=None, end=End(day, str(event.data.get("reason", ""))))
    return replace(project, permit=None, end=project.permit_end(day))
