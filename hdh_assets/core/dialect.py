"""How a producer writes files: the part of a descriptor that the gates and the reader of text go by.

Here: the model, and what of it can be read without doubt. What a dataset holds is in `descriptor.py`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_DIRECTIVE = re.compile(r"%(?:-(?=[dHIjmMSy]))?([aAbBdfHIjmMpSyYzZ%])")

_USUAL = {"%Y-%m-%d": 10, "%d/%m/%Y": 10, "%Y%m%d": 8}
"""Forms of a day that many write, with the length of each."""
_OFFSETS = set("zZ")
_HOURS = set("HIMSfp") | _OFFSETS


class Format(BaseModel):
    """The dialect of the producer's files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["csv", "parquet"] = "csv"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str | None = Field(default='"', max_length=1)
    """None: the format has no quotes, a quote is an ordinary character."""
    encoding: Literal["utf-8", "utf-8-sig", "cp1252", "latin-1"] = "utf-8"
    """`utf-8-sig` expects a byte-order mark; the others refuse one."""
    decimal: Literal[".", ","] = "."
    date: str = "%Y-%m-%d"
    timestamp: str = "%Y-%m-%dT%H:%M:%SZ"
    column_order: Literal["any", "declared"] = "any"

    @model_validator(mode="after")
    def _legible(self) -> Self:
        if not _is_mark(self.delimiter) and self.delimiter != "\t":
            raise ValueError("delimiter must be a tab or one ASCII character that is no letter, digit or white space")
        if self.quote is not None and not _is_mark(self.quote):
            raise ValueError("quote must be one ASCII character that is no letter, digit or white space")
        if self.delimiter == self.quote:
            raise ValueError("delimiter and quote are the same")
        if self.quote is None and self.delimiter == self.decimal:
            raise ValueError("delimiter and decimal are the same, and there are no quotes")
        check_time_form(self.date, "date")
        check_time_form(self.timestamp, "timestamp")
        return self


def check_time_form(form: str, kind: str) -> str:
    """The strptime form itself; `ValueError` when it does not tell a day, or tells what values of `kind` have not."""
    found = set(_DIRECTIVE.findall(form))
    tells_day = "j" in found or ("d" in found and found & set("mbB"))
    if "%" in _DIRECTIVE.sub("", form) or not (found & set("yY") and tells_day):
        raise ValueError(f"{form!r} is no form of a day, as %d/%m/%Y is")
    if kind == "date" and found & _HOURS:
        # the hours would be cut off in silence, and an offset could make it another day
        raise ValueError(f"{form!r} tells hours or an offset, which a date has not: make the column a timestamp")
    if "z" in found and not form.endswith("%z"):
        raise ValueError(f"{form!r} has an offset before its end, where nothing could check it")
    if is_told_twice(form) and found & _OFFSETS:
        raise ValueError(f"{form!r} tells a day of the week or of the year elsewhere: nothing could check it")
    return form


def is_day_of_another_form(text: str, form: str) -> bool:
    """Whether a text is a day as many write it, but not as this strptime form does."""
    return not _is_day(text, form) and any(
        _is_day(text, other) for other, length in _USUAL.items() if len(text) == length
    )


def _is_day(text: str, form: str) -> bool:
    return _read(text, form) is not None


def is_written_so(text: str, form: str) -> bool:
    """Whether a text is a day or an instant as files of this strptime form have them, from the year 1000 on.

    Of a form with a zone or an offset, whose spellings are many, any text with a digit may be.
    """
    directives = set(_DIRECTIVE.findall(form))
    if directives & _OFFSETS:
        return any(character.isdigit() for character in text)
    instant = _read(text, form)
    # strptime takes digits that are not padded, and any day of the week
    is_exact = "%-" in form or (instant is not None and instant.strftime(form).lower() == text.lower())
    return instant is not None and is_exact


def _read(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form.replace("%-", "%")).replace(tzinfo=UTC)
    except ValueError:
        return None


def is_told_twice(form: str) -> bool:
    """Whether a text of the form may say of a day what is not so, a weekday or a day of the year."""
    return bool(set(_DIRECTIVE.findall(form)) & set("ajA"))


def _is_mark(character: str) -> bool:
    return character.isascii() and character.isprintable() and not character.isalnum() and character != " "
