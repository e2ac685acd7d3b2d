"""What the registry says about projects, permits and oppositions: the reading side, shared by commands and sensors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType

from hdh_assets.core.errors import RefusedError
from hdh_assets.governance.permit import BrokenPermit, Permit, permits_in_force, read_permit
from hdh_assets.governance.states import Project, Step, fold
from resources.registry import Registry


def today() -> date:
    """The day of the registry's clock, UTC."""
    return datetime.now(UTC).date()


def projects(registry: Registry) -> dict[str, Project]:
    """Every project by id."""
    return fold(registry.events())


def find_project(registry: Registry, project: str) -> Project:
    """That project. Raises `RefusedError` when nobody filed it."""
    found = projects(registry).get(project)
    if found is None:
        raise RefusedError(f"no project is called {project}", remedy="see `hdh project list`")
    return found


def active_permits(
    registry: Registry, *, known: Mapping[str, frozenset[str]] | None = None, on: date | None = None
) -> list[Permit]:
    """Permits in force that can be used; see `read_permits` for the others."""
    return read_permits(registry, known=known, on=on)[0]


def read_permits(
    registry: Registry,
    *,
    known: Mapping[str, frozenset[str]] | None = None,
    withheld: Mapping[str, str] = MappingProxyType({}),
    on: date | None = None,
) -> tuple[list[Permit], list[BrokenPermit]]:
    """Permits in force on that day (today), and the broken ones with what is wrong: see `permits_in_force`."""
    return permits_in_force(projects(registry).values(), on or today(), known, withheld)


def permit_of(registry: Registry, project: str, number: int) -> Permit:
    """The permit of that number which the project was granted."""
    grants = [event for event in find_project(registry, project).history if event.kind == Step.grant]
    return read_permit(grants[number - 1])


def find_permit(
    registry: Registry,
    project: str,
    *,
    known: Mapping[str, frozenset[str]] | None = None,
    withheld: Mapping[str, str] = MappingProxyType({}),
) -> Permit:
    """The permit in force of that project. Raises `RefusedError` saying why there is none that can be used."""
    usable, broken = read_permits(registry, known=known, withheld=withheld)
    for permit in usable:
        if permit.project == project:
            return permit
    for found in broken:
        if found.project == project:
            raise RefusedError(f"permit {found.number} of {project} is broken: {found.problem}", remedy="amend it")
    status = find_project(registry, project).status_on(today())
    raise RefusedError(
        f"project {project} is {status}: no permit is in force", remedy=f"see `hdh project show {project}`"
    )
