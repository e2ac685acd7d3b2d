"""The dossier: what a project asks for and why; a dated version each time it is filed.

Here: the model of `dossier.yaml`, reading it with every error at its line, and checking it against what the hub has.
Not here: what becomes of a dossier (`states.py`), and what is granted (`permit.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from difflib import SequenceMatcher
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hdh_assets.core.errors import HubError
from hdh_assets.core.yaml_file import YamlFile, read_model
from hdh_assets.governance.dossier_texts import unfit_texts
from hdh_assets.governance.forms import (
    LONGEST_NAME,
    Address,
    ColumnName,
    Columns,
    Day,
    Name,
    ProjectId,
    TableName,
    Words,
)

TEMPLATE = Path(__file__).with_name("dossier.template.yaml")


_CORRECT = "correct the dossier, then run `hdh project check` again"
_ASK_ANOTHER = (
    "see `hdh project tables`, and `hdh project tables TABLE`, for what can be asked, and correct the dossier"
)
_TO_WRITE = ("title", "purpose", "public_interest", "controller", "team")
"""Fields whose words in the template are an invitation to write one's own."""


_NO_CODES = {
    f"{thing}_source_value" for thing in ("person", "care_site", "provider", "location", "family", "note", "value")
}
"""Source values that number a person, a thing or a text instead of coding it, or hold what was measured or answered."""


_NEAR, _MOST_NEAR, _MOST_NAMED = 0.6, 5, 8
"""From which likeness on a name is told to who wrote another, and how many."""

_FIRST_DAY, _LAST_DAY = date(1800, 1, 1), date(2999, 12, 31)
"""Of what a project may ask for. Beyond are mistakes, and days that have none before or after them."""


class DossierError(HubError):
    """A dossier is wrong; the message lists every problem as `file:line: field: problem`."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Period(_Frozen):
    """Both days included. An event belongs to the period by the day it starts."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("`to` is before `from`")
        return self


class Sex(StrEnum):
    """Sex as OMOP's gender concepts tell it."""

    female = "female"
    male = "male"


class Age(_Frozen):
    """Completed years at the first day of the period, both included. From 0 on, children born within the period too.

    A birthday whose month or day the hub does not know counts as past: where only the year of birth is known, the age
    is that reached within the year, and who is born in the year of the last day is born within the period.
    """

    min: int = Field(default=0, ge=0, le=150)
    max: int = Field(default=150, ge=0, le=150)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise ValueError("`max` is less than `min`")
        return self


class PersonsWith(_Frozen):
    """Persons who have, within the period, a row of `table` whose `column` is one of `values`.

    The rows are those an extract gives: events that start within the period, spans of observation and of cover that
    touch it, eras wholly within it.
    """

    table: TableName
    column: ColumnName
    values: tuple[str, ...]
    """Exact codes, or the beginning of a code followed by `*`."""

    @field_validator("values", mode="before")
    @classmethod
    def _codes_as_text(cls, values: object) -> object:
        if not isinstance(values, list | tuple):
            return values
        if not values:
            raise ValueError("at least one code is expected")
        if any(isinstance(value, bool) or not isinstance(value, int | str) for value in values):
            raise ValueError("write codes in quotes: without them some become numbers, days or truth values")
        if any("*" in str(value)[:-1] for value in values):
            raise ValueError("`*` stands at the end of a code alone, for all that begin like it")
        return [str(value) for value in values]


class Population(_Frozen):
    """Who: every condition given must hold; none given means everybody."""

    age: Age | None = None
    sex: tuple[Sex, ...] = ()
    persons_with: tuple[PersonsWith, ...] = ()

    @property
    def is_everybody(self) -> bool:
        """Whether no condition restricts it."""
        return self == Population()


class Precision(_Frozen):
    """How fine the potential identifiers are; what is not asked for is coarse."""

    dates: Literal["exact", "day", "month"] = "month"
    """`exact` tells the time of the day where the hub has it, which hardly two events share."""
    birth: Literal["year", "month", "day"] = "year"
    residence: Literal["commune", "department"] = "department"


class Updates(StrEnum):
    """When the next version of an extract is made."""

    on_request = "on_request"
    """When the project asks for it (`hdh extract renew`)."""
    on_delivery = "on_delivery"
    """Whenever a delivery that feeds its tables was released."""


class Contact(_Frozen):
    """Who answers for the processing."""

    name: Name
    contact: Address


class Member(_Frozen):
    """One person of the team who will see the data."""

    name: Name
    affiliation: Name


class Dossier(_Frozen):
    """An application, whole."""

    project: ProjectId
    title: Words
    purpose: Words
    public_interest: Words
    controller: Contact
    team: tuple[Member, ...]
    legal_basis: Words
    period: Period
    population: Population = Population()
    precision: Precision = Precision()
    tables: dict[TableName, Columns]
    """By table `schema.name`: `all`, or the columns. A potential identifier is delivered only where it is listed."""
    updates: Updates = Updates.on_request
    """When a version follows another."""
    retention_until: Day

    @field_validator("team", mode="before")
    @classmethod
    def _somebody(cls, team: object) -> object:
        if team == []:
            raise ValueError("at least one person is expected: everybody who will see the data")
        return team

    @field_validator("tables", mode="before")
    @classmethod
    def _each_once(cls, tables: object) -> object:
        if tables == {}:
            raise ValueError("at least one table is expected; see `hdh project tables`")
        names = [str(name).lower() for name in tables] if isinstance(tables, dict) else []
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(doubled)[:LONGEST_NAME]} is there twice: capitals make no difference")
        return tables


def read_dossier(path: Path) -> Dossier:
    """The dossier of that file. Raises `DossierError` with every problem, each at its line."""
    return read_model(path, Dossier, DossierError, remedy=_CORRECT)


def check_dossier(
    path: Path,
    known: Mapping[str, frozenset[str]],
    today: date,
    needed: Mapping[str, frozenset[str]] = MappingProxyType({}),
    withheld: Mapping[str, str] = MappingProxyType({}),
    listed: Collection[str] = (),
) -> Dossier:
    """The dossier, once found answerable. `known` gives the deliverable tables and their columns.

    `needed` gives, by table, the tables of which the dossier must ask for one besides; `withheld`, by table that the
    hub has and does not deliver, why; `listed` has those of which nothing is delivered unless columns are listed.

    Raises `DossierError` with every problem, each at its line.
    """
    file = YamlFile.read(path, DossierError, remedy=_CORRECT)
    dossier = file.validated(file.mapping(), Dossier)
    if problems := unanswerable(dossier, known, today, needed, withheld, listed):
        is_about_tables = any(field[0] == "tables" or field[-1] in {"table", "column"} for field, _ in problems)
        raise DossierError(file.located(problems), remedy=_ASK_ANOTHER if is_about_tables else _CORRECT)
    return dossier


def not_filled_in(dossier: Dossier) -> list[str]:
    """Fields that still say what the template says."""
    template = read_dossier(TEMPLATE)
    return [field for field in _TO_WRITE if getattr(dossier, field) == getattr(template, field)]


def unanswerable(
    dossier: Dossier,
    known: Mapping[str, frozenset[str]],
    today: date,
    needed: Mapping[str, frozenset[str]] = MappingProxyType({}),
    withheld: Mapping[str, str] = MappingProxyType({}),
    listed: Collection[str] = (),
) -> list[tuple[tuple[str | int, ...], str]]:
    """What the hub cannot answer, as (field, problem)."""
    problems = list(unfit_texts(dossier.model_dump()))
    for table, columns in dossier.tables.items():
        found = [f"{table} {withheld[table]}"] if table in withheld else _table_problems(table, columns, known)
        problems += [(("tables", table), text) for text in found]
        if columns == "all" and table in listed:
            problems.append((("tables", table), f"`all` leaves nothing of {table}: list the columns that are needed"))
        if (one_of := needed.get(table)) and not one_of & dossier.tables.keys():
            text = f"gives only what belongs to rows of other tables: ask also for {' or '.join(sorted(one_of))}"
            problems.append((("tables", table), text))
    for index, condition in enumerate(dossier.population.persons_with):
        field = ("population", "persons_with", index)
        problems += [((*field, part), text) for part, text in _condition_problems(condition, known)]
    if "sex" in dossier.population.model_fields_set and not dossier.population.sex:
        problems.append((("population", "sex"), "names nobody: write [female], [male], or leave it out for everybody"))
    if dossier.period.first < _FIRST_DAY or dossier.period.last > _LAST_DAY:
        problems.append((("period",), f"is not within {_FIRST_DAY} and {_LAST_DAY}"))
    if dossier.retention_until <= today:
        problems.append((("retention_until",), "is not in the future: name the day on which you will have erased all"))
    if dossier.retention_until > _LAST_DAY:
        problems.append((("retention_until",), f"is after {_LAST_DAY}: name the day on which you will have erased all"))
    return problems


def _condition_problems(condition: PersonsWith, known: Mapping[str, frozenset[str]]) -> list[tuple[str, str]]:
    """What is wrong with a condition, as (the part of it, problem)."""
    table, column = condition.table, condition.column
    if table in known and not table.startswith("omop."):
        return [("table", f"{table} cannot say who is meant; ask for a table of OMOP, as omop.condition_occurrence")]
    if problems := _table_problems(table, (), known):
        return [("table", text) for text in problems]
    if "person_id" not in known[table]:
        return [("table", f"{table} is not about persons and cannot say who is meant")]
    if problems := _table_problems(table, (column,), known):
        return [("column", text) for text in problems]
    if not is_coded(column):
        return [("column", f"{column} holds no codes; ask by a `*_concept_id` or by the code at the source")]
    problems = [_value_problem(value, column, known[table]) for value in condition.values]
    return [("values", text) for text in problems if text]


def _value_problem(value: str, column: str, columns: frozenset[str]) -> str:
    """Why a code would meet everybody, or nobody; empty where it need not."""
    if value == "*":
        return "`*` alone is everybody; begin it with a code, or leave the condition out"
    if not value or value != value.strip():
        return f"no code begins or ends with a blank, or is empty: {value!r}; write the code itself"
    if column.endswith("_concept_id") and not re.fullmatch("0|[1-9][0-9]*", value):
        source = f"{column.removesuffix('_concept_id').removesuffix('_source')}_source_value"
        beside = f"; codes of the source are in {source}" if source in columns else ""
        return f"{value} is no number of a concept, as 201826{beside}"
    return ""


def is_coded(column: str) -> bool:
    """Whether a CDM column holds codes. Numbers, measures, answers, days and places would single out."""
    return column.endswith(("_concept_id", "_source_value")) and column not in _NO_CODES


def _table_problems(table: str, columns: str | tuple[str, ...], known: Mapping[str, frozenset[str]]) -> list[str]:
    if table not in known:
        return [no_table(table, known)]
    unknown = set() if isinstance(columns, str) else set(columns) - known[table]
    return [f"{table} has no column {column}; {_there_is(column, known[table])}" for column in sorted(unknown)]


def no_table(name: str, known: Iterable[str]) -> str:
    """What to say of a table that is not among those the hub delivers."""
    near = _nearest(name, known)
    return f"the hub delivers no table {name}" + (f"; nearest: {', '.join(near)}" if near else "")


def _there_is(column: str, columns: frozenset[str]) -> str:
    """The columns nearest to what was written; where none is near, the first of all."""
    if near := _nearest(column, columns):
        return f"nearest: {', '.join(near)}"
    beyond = len(columns) - _MOST_NAMED
    return f"it has {', '.join(sorted(columns)[:_MOST_NAMED])}" + (f" and {beyond} more" if beyond > 0 else "")


def _nearest(written: str, names: Iterable[str]) -> list[str]:
    """The few names most like what was written, which may lack the part before the dot; the most like first."""
    likeness = {name: max(_likeness(written, name), _likeness(_last(written), _last(name))) for name in names}
    near = sorted((-value, name) for name, value in likeness.items() if value >= _NEAR)
    return [name for _, name in near[:_MOST_NEAR]]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one[:LONGEST_NAME].lower(), other).ratio()
