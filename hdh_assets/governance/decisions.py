"""Decisions: pure functions from what happened so far to the next event, or a refusal with its reason.

The shell that reads and appends is `register.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from pydantic import ValidationError

from hdh_assets.core.errors import RefusedError
from hdh_assets.governance.dossier import Dossier
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.states import Project, Step, check_step, fold
from resources.registry import Draft, Event

Decision = Callable[[list[Event]], Draft]


def submit(dossier: Dossier, today: date) -> Decision:
    """File a dossier, of whom `_file` says, for a project that has none open."""
    return _file(Step.submit, dossier, today)


def amend(dossier: Dossier, today: date) -> Decision:
    """File a version other than the latest, of whom `_file` says; the permit in force stays until it is granted."""
    return _file(Step.amend, dossier, today)


def give_opinion(project: str, *, favourable: bool, reason: str, today: date) -> Decision:
    """Record the committee's opinion on the latest version; an unfavourable one has a reason."""
    if not favourable:
        require_reason(reason, "an unfavourable opinion")
    return _step(Step.give_opinion, project, today, lambda _: {"favourable": favourable, "reason": reason.strip()})


def refuse(project: str, *, reason: str, today: date) -> Decision:
    """Refuse the latest version."""
    require_reason(reason, "a refusal")
    return _step(Step.refuse, project, today, lambda _: {"reason": reason.strip()})


def revoke(project: str, *, reason: str, today: date) -> Decision:
    """End the permit in force."""
    require_reason(reason, "a revocation")
    return _step(Step.revoke, project, today, lambda found: {"reason": reason.strip(), "number": found.permits})


def withdraw(project: str, *, reason: str, today: date) -> Decision:
    """The project gives up; its permit ends."""
    require_reason(reason, "a withdrawal")
    return _step(Step.withdraw, project, today, lambda _: {"reason": reason.strip()})


def grant(project: str, *, expires: date | None, conditions: str, today: date) -> Decision:
    """Grant what the latest version asks for, until `expires` (the dossier's retention date at the latest)."""

    def content(found: Project) -> dict[str, Any]:
        dossier = _filed(found)
        _check_controller(dossier, found)
        permit = _permit(dossier, found, expires or dossier.retention_until, conditions, today)
        return {"number": permit.number, "permit": permit.model_dump(mode="json", by_alias=True)}

    return _step(Step.grant, project, today, content)


def _file(step: Step, dossier: Dossier, today: date) -> Decision:
    """File a version. A name that had a permit stays its controller's, in amendments as in new dossiers.

    With the name go the pseudonyms, which would join what two controllers received, and the versions that stand.
    """

    def content(found: Project | None) -> dict[str, Any]:
        _check_controller(dossier, found)
        filed = {"dossier": dossier.model_dump(mode="json", by_alias=True)}
        if step is Step.amend and found and found.dossier.said("dossier", dict) == filed["dossier"]:
            raise RefusedError(
                f"nothing changed: version {found.dossier_version} of {dossier.project} says the same",
                remedy="change the dossier first",
            )
        return filed

    return _step(step, dossier.project, today, content)


def _check_controller(dossier: Dossier, found: Project | None) -> None:
    """Raise `RefusedError` unless the dossier is of whom the last permit was granted to: to file one proves nothing."""
    before = found.granted.said("dossier.controller.name", str) if found and found.granted else None
    if before not in {None, dossier.controller.name}:
        raise RefusedError(
            f"project {dossier.project} is of {before}, and its pseudonyms go with its name",
            remedy="choose another name; the controller itself amends its dossier, or files it under its own name",
        )


def _filed(found: Project) -> Dossier:
    """The dossier as it was filed. Raises `RefusedError` when this version of the hub reads it no longer."""
    try:
        return Dossier.model_validate(found.dossier.said("dossier", dict))
    except ValidationError as error:
        fields = sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})
        raise RefusedError(
            f"version {found.dossier_version} of {found.id} was filed in a form that is none any more: "
            f"{', '.join(fields)}",
            remedy="file it anew with `hdh project amend`",
        ) from None


def _permit(dossier: Dossier, found: Project, expires: date, conditions: str, today: date) -> Permit:
    if not today < expires <= dossier.retention_until:
        raise RefusedError(
            f"a permit of {dossier.project} cannot expire on {expires}",
            remedy=f"choose a day after today, up to {dossier.retention_until} (the dossier's retention_until)",
        )
    return Permit(
        project=dossier.project,
        number=found.permits + 1,
        dossier_version=found.dossier_version,
        title=dossier.title,
        tables=dossier.tables,
        population=dossier.population,
        period=dossier.period,
        precision=dossier.precision,
        updates=dossier.updates,
        conditions=conditions.strip(),
        granted_on=today,
        expires=expires,
    )


def _step(step: Step, project: str, today: date, content: Callable[[Any], dict[str, Any]]) -> Decision:
    def decide(events: list[Event]) -> Draft:
        found = fold(events).get(project)
        check_step(found, project, step, today)
        return Draft(step, project, content(found))

    return decide


def require_reason(reason: str, what: str) -> None:
    """Raise `RefusedError` unless the reason says something."""
    if not any(map(str.isalnum, reason)):
        raise RefusedError(f"{what} carries its reason", remedy="say why, with --reason")
