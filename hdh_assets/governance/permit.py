"""The permit: what a project may receive, exactly. An extract is made from a permit and a release, and nothing else.

Here: the model and who is in force on a day. How one is granted is in `decisions.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hdh_assets.governance.dossier import Period, Population, Precision, Updates
from hdh_assets.governance.forms import Columns, ProjectId, TableName
from hdh_assets.governance.states import Project, is_in_force
from resources.registry import DamagedLogError, Event


class Permit(BaseModel):
    """What was granted, when and until when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: ProjectId
    number: int = Field(ge=1)
    """1 for the project's first permit; each later one replaces it."""
    dossier_version: int = Field(ge=1)
    title: str
    tables: dict[TableName, Columns] = Field(min_length=1)
    population: Population
    period: Period
    precision: Precision
    updates: Updates = Updates.on_request
    conditions: str = ""
    granted_on: date
    expires: date

    @property
    def id(self) -> str:
        """How people and manifests name it."""
        return f"{self.project}/permit-{self.number}"

    @property
    def table_names(self) -> tuple[str, ...]:
        """The lake tables it names, in order."""
        return tuple(sorted(self.tables))

    def is_in_force(self, today: date) -> bool:
        """Whether it has not expired; its last day is included."""
        return is_in_force(self.expires, today)


@dataclass(frozen=True)
class BrokenPermit:
    """A permit that cannot be used, and why. It disables itself, and no other."""

    project: str
    number: int
    problem: str


def read_permit(event: Event) -> Permit:
    """The permit of a `permit.granted` event. Raises `DamagedLogError` when the event holds none."""
    try:
        return Permit.model_validate(event.said("permit", dict))
    except ValidationError:
        raise DamagedLogError(f"event {event.seq} grants what is no permit") from None


def permits_in_force(
    projects: Iterable[Project],
    today: date,
    known: Mapping[str, frozenset[str]] | None = None,
    withheld: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[Permit], list[BrokenPermit]]:
    """Permits in force on that day by project, and those that cannot be used.

    With `known` (deliverable tables and their columns), a permit that names what the hub does not deliver is broken;
    `withheld` says, by table that it has and does not deliver, why.
    """
    usable: list[Permit] = []
    broken: list[BrokenPermit] = []
    for project in projects:
        if project.permit is None:
            continue
        number = project.permits
        try:
            permit = read_permit(project.permit)
        except DamagedLogError as error:
            broken.append(BrokenPermit(project.id, number, error.message))
            continue
        if not permit.is_in_force(today):
            continue
        if problem := _unknown(permit, known, withheld):
            broken.append(BrokenPermit(project.id, number, problem))
        else:
            usable.append(permit)
    return usable, broken


def _unknown(permit: Permit, known: Mapping[str, frozenset[str]] | None, withheld: Mapping[str, str]) -> str:
    if known is None:
        return ""
    if refused := [f"{table} {withheld[table]}" for table in permit.table_names if table in withheld]:
        return "; ".join(refused)
    missing = [table for table in permit.table_names if table not in known]
    for table, columns in permit.tables.items():
        if table in known and columns != "all":
            missing += [f"{table}.{column}" for column in columns if column not in known[table]]
    return f"the hub does not deliver {', '.join(missing)}" if missing else ""
