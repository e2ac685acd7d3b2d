"""How the rows of a generic table are numbered so that its primary key tells them apart, and how many there can be.

Decisions only: what each part of the key counts is an SQL expression over the row's number `r`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from hdh_assets.core.column import Column, Role
from hdh_assets.core.descriptor import Table
from hdh_assets.core.errors import HubError
from hdh_assets.sources.synth.generic_values import least
from hdh_assets.sources.synth.patterns import room

SUBJECT = "subject"
"""The part of a key that is the person a row is about; a parent is named by the position of its foreign key."""

Part = str | int
_UNBOUNDED = 10**12
_DAY = 86_400
_PERIODS = 10_000
"""Among which a column's room is shared: days of 27 years."""


@dataclass(frozen=True)
class Numbering:
    """The rows of a table, and what counts them: parts that are not in `counted` are drawn by chance."""

    rows: int
    counted: Mapping[Part, str] = field(default_factory=dict)
    """Columns by lower-case name, `SUBJECT`, or positions of foreign keys; each counts from 0."""


def numbering(
    table: Table,
    rows: int,
    owners: Mapping[Part, int],
    given: Mapping[str, Part],
    days: int,
    *,
    is_asked: bool,
    periods_before: int = 0,
) -> Numbering:
    """At most `rows`, all with different keys.

    `owners`: how many there are of each part that alone tells rows apart; `given`: who decides the value of a column;
    `days` in a period; `periods_before`: how many whose keys are others, as far as one column has room for them. Raises
    `HubError` when somebody asked for that many rows, nobody owns them, and the key cannot tell them apart.
    """
    key = [name.lower() for name in table.primary_key]
    free = [column for name in key if name not in given and (column := table.by_name[name])]
    if not key:
        return Numbering(rows)
    counting = [column for column in free if column.role is not Role.person_key and not column.synth]
    rooms = {column.lake_name: capacity(column, days) for column in counting}
    if wide := next((name for name in rooms if rooms[name] >= rows), None):
        return Numbering(rows, {wide: _beyond(rooms[wide], rows, periods_before)})
    named = {given[name] for name in key if name in given}
    parts: dict[Part, int] = {part: count for part, count in owners.items() if part in named}
    if is_asked and not parts and math.prod(rooms.values()) < rows:
        raise HubError(
            f"table {table.name}: its key gives fewer than {rows} different values",
            remedy="name a generator in `synth:`, or ask for fewer persons",
        )
    parts |= dict(sorted(rooms.items(), key=lambda each: -each[1]))
    counted, step = dict[Part, str](), 1
    for part, size in parts.items():
        counted[part] = f"(r // {step} % {max(size, 1)})"
        step *= size
    return Numbering(min(rows, step), counted)


def _beyond(room: int, rows: int, periods: int) -> str:
    """What counts the rows of a period beyond those of the periods before, as far as there is room."""
    share = max(room // _PERIODS, rows)
    return f"(r + {share * periods})" if periods and share * (periods + 1) <= room else "r"


def capacity(column: Column, days: int) -> int:
    """How many different values a column can be given by counting; dates stay within `days`."""
    if column.codes:
        return len(column.codes)
    if column.pattern:
        return min(room(column.pattern), _UNBOUNDED)
    match column.kind:
        case "string":
            return int(10 ** min(column.length or 12, 12))
        case "integer" if column.maximum is not None:
            return max(math.floor(column.maximum) - math.ceil(least(column)) + 1, 1)
        case "integer" | "uuid":
            return _UNBOUNDED
        case "date":
            return days
        case "timestamp":
            return days * _DAY
        case "boolean":
            return 2
        case _:
            return 1
