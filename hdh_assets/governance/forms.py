"""The forms that values of a dossier and of a permit have: names, days, texts; each tells people what it expects.

What the fields mean is in `dossier.py`.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, StringConstraints


def _fits(form: str, expected: str) -> AfterValidator:
    """A text of that form; of another, people are told what is expected."""
    pattern = re.compile(form)

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(expected)
        return value

    return AfterValidator(check)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _day(value: object) -> object:
    is_text_of_day = isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII)
    if type(value) is not date and not is_text_of_day:
        raise ValueError("a day is expected, written as 2024-03-31")
    return value


def _columns(value: object) -> object:
    """`all`, or names of columns, in lower case."""
    if _lower(value) == "all":
        return "all"
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("`all` is expected, or a list of columns, as [person_id, year_of_birth]")
    for column in value:
        if not isinstance(column, str) or not re.fullmatch(_NAME, column.lower()):
            raise ValueError(f"{str(column)[:LONGEST_NAME]} is no name of a column")
    return [column.lower() for column in value]


LONGEST_NAME = 100
"""Of a table or a column, in characters, as far as it is told or compared."""
_NAME = "[a-z][a-z0-9_]{0,62}"
ProjectId = Annotated[
    str, _fits(r"[a-z][a-z0-9_]{1,39}", "2 to 40 lower-case letters, digits and _ are expected, as my_project")
]
TableName = Annotated[
    str,
    BeforeValidator(_lower),
    _fits(rf"{_NAME}\.{_NAME}", "a table is written with what it is in, as omop.person; see `hdh project tables`"),
]
"""In any case; lower case is what it means."""
ColumnName = Annotated[str, BeforeValidator(_lower), _fits(_NAME, "a name of a column is expected, as person_id")]
Columns = Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(_columns)]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True), _fits(r"(?s:.{10,})", "at least 10 characters are expected")
]
Name = Annotated[str, _fits(r"(?s:.{2,})", "at least 2 characters are expected")]
Address = Annotated[str, _fits(r"[^@\s]+@[^@\s]+", "an electronic address is expected, as dpo@example.org")]
Day = Annotated[date, BeforeValidator(_day)]
