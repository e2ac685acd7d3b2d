"""The types of delivered columns, and what a description may ask of a value of each.

What is refused here would pass every check of a descriptor and stop its first delivery.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import category

if TYPE_CHECKING:
    import duckdb

KINDS: dict[str, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL",
    "float": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "year": "SMALLINT",
    "yearmonth": "VARCHAR",
    "boolean": "BOOLEAN",
    "uuid": "UUID",
}
"""Type of the engine, by the first word of a column's type."""

_TYPE = re.compile(r"(?P<kind>[a-z]+)(?:\((?P<a>[0-9]+)(?:,(?P<b>[0-9]+))?\))?\Z")
_FORMS = {"string": (0, 1), "decimal": (2,)}
"""How many numbers in parentheses each kind takes, where it takes any."""
_WIDEST = 38
Bound = int | float
"""The least or the greatest number allowed: whole ones are exact, however large."""
_SPANS = {"integer": (-(2**63), 2**63 - 1), "year": (0, 9999)}
"""The least and the greatest value of kinds of whole numbers."""
_NUMBERS = {"integer", "decimal", "float", "year"}
_CODED = {"string", "integer"}
_IDENTIFYING = {"string", "integer", "uuid"}
DATED = {"date", "timestamp", "year", "yearmonth"}
_WRITTEN_OTHERWISE = {"decimal", "float", "date", "timestamp", "boolean"}
"""Kinds of which one value is written in several ways."""
_NOT_OF_THE_ENGINE = re.compile(r"\(\?(<?[=!]|P=|>|#|\()|\\[1-9ZuUN]|[*+?}]\+")
"""What Python's expressions have and RE2's have not."""
_REPEATED = re.compile(r"(?<=[{,])[0-9]+(?=[},])")
_MOST_REPEATED = 1000


def kind_of(type_: str) -> str:
    """The type without its numbers."""
    return type_.partition("(")[0]


def numbers_of(type_: str) -> tuple[int, ...]:
    """The numbers in parentheses: a string's greatest length; a decimal's digits, and those after the point."""
    found = _TYPE.match(type_)
    return tuple(int(found[name]) for name in ("a", "b") if found[name] is not None) if found else ()


def duckdb_type(type_: str) -> str:
    """Type of the column in the lake."""
    kind = kind_of(type_)
    return f"DECIMAL{type_.removeprefix(kind)}" if kind == "decimal" else KINDS[kind]


def check_type(type_: str) -> str:
    """The type itself; `ValueError` when there is none such."""
    kind, numbers = kind_of(type_), numbers_of(type_)
    if kind not in KINDS or not _TYPE.match(type_):
        raise ValueError(
            "must be string(n), integer, decimal(p,s), float, date, timestamp, year, yearmonth, boolean or uuid"
        )
    if len(numbers) not in _FORMS.get(kind, (0,)):
        raise ValueError("decimal needs precision and scale, as decimal(9,2)" if kind == "decimal" else f"write {kind}")
    if kind == "string" and 0 in numbers:
        raise ValueError("a string of no length holds nothing")
    if (kind == "decimal" and not numbers[1] <= numbers[0] <= _WIDEST) or numbers[:1] == (0,):
        raise ValueError(f"a decimal has 1 to {_WIDEST} digits, of which those after the point are a part")
    return type_


def check_bounds(type_: str, minimum: Bound | None, maximum: Bound | None) -> None:
    """`ValueError` unless both are bounds of such a number, and it has values that keep to them."""
    given = [bound for bound in (minimum, maximum) if bound is not None]
    if given and kind_of(type_) not in _NUMBERS:
        raise ValueError(f"minimum and maximum are for numbers, and the type is {type_}")
    if not all(abs(bound) <= sys.float_info.max for bound in given):
        raise ValueError("minimum and maximum must be finite")
    if given != sorted(given):
        raise ValueError("minimum is greater than maximum")
    if not given or kind_of(type_) == "float":
        return
    digits, scale = numbers_of(type_) if kind_of(type_) == "decimal" else (0, 0)
    unit = Fraction(10) ** scale
    low, high = _SPANS.get(kind_of(type_), (1 - 10**digits, 10**digits - 1))
    least = low if minimum is None else max(low, math.ceil(Fraction(repr(minimum)) * unit))
    greatest = high if maximum is None else min(high, math.floor(Fraction(repr(maximum)) * unit))
    if least > greatest:
        beyond = "as small as the maximum" if minimum is None else "as great as the minimum"
        raise ValueError(f"no {type_} is {beyond if None in (minimum, maximum) else 'between minimum and maximum'}")


def bound_words(bound: Bound) -> str:
    """A bound as people write it."""
    return str(bound) if isinstance(bound, int) else f"{bound:.15g}"


def check_codes(type_: str, codes: Mapping[str, str]) -> None:
    """`ValueError` unless every code can be a value of the column."""
    if kind_of(type_) not in _CODED:
        raise ValueError(f"codes are for string and integer columns, and the type is {type_}")
    if not codes or "" in codes:
        raise ValueError("codes: give at least one, and none without a character")
    check_printable("codes", codes)
    if kind_of(type_) == "integer" and (wrong := [code for code in codes if not re.fullmatch(r"-?[0-9]{1,18}", code)]):
        raise ValueError(f"codes that are no integer: {', '.join(wrong)}")
    longest = numbers_of(type_) if kind_of(type_) == "string" else ()
    if longest and (wrong := [code for code in codes if len(code) > longest[0]]):
        raise ValueError(f"codes longer than {type_}: {', '.join(wrong)}")


def check_coded(codes: Iterable[str], minimum: Bound | None, maximum: Bound | None) -> None:
    """`ValueError` unless codes that are numbers, if any, keep to the bounds of their column."""
    low, high = -math.inf if minimum is None else minimum, math.inf if maximum is None else maximum
    if low == -high == -math.inf:
        return
    if wrong := [code for code in codes if not low <= int(code) <= high]:
        raise ValueError(f"codes that minimum or maximum exclude: {', '.join(wrong)}")


def check_printable(field: str, texts: Iterable[str]) -> None:
    """`ValueError` for a text with a control character: no statement holds a NUL, and nobody sees the others."""
    if any(category(character) == "Cc" for text in texts for character in text):
        raise ValueError(f"{field}: a control character, which no text of a file can be")


def check_identifier(type_: str) -> None:
    """`ValueError` unless the column can hold what a pseudonym is made of."""
    if kind_of(type_) not in _IDENTIFYING:
        raise ValueError(f"an identifier is a string, an integer or a uuid, and the type is {type_}")


def check_day(tells: str, type_: str) -> None:
    """`ValueError` unless the column holds what lies within a period, or not: a day, a month or a year."""
    if kind_of(type_) not in DATED:
        raise ValueError(
            f"tells: {tells} is for a date, a timestamp, a year or a yearmonth, and the type is {type_}; a status or a "
            "code has no day: leave `tells` out, and give it role: quasi_identifier for permits that name it alone"
        )


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One that reads patterns as intake's will; of one thread, so that a process may be forked beside it."""
    import duckdb  # noqa: PLC0415 - only a descriptor that has a pattern pays for it

    return duckdb.connect(config={"threads": 1})


def _refusal(pattern: str) -> str | None:
    """What the engine says against a pattern; None when it takes it."""
    import duckdb  # noqa: PLC0415

    try:
        _engine().cursor().execute("SELECT regexp_full_match('', ?)", [pattern]).fetchall()
    except duckdb.Error as error:
        return str(error).splitlines()[0].partition(": ")[2]
    return None


def _unmatched(pattern: str, texts: list[str]) -> list[str]:
    """The texts that the engine says the pattern does not match as a whole."""
    asked = "SELECT text FROM (SELECT unnest(?::VARCHAR[]) AS text) WHERE NOT regexp_full_match(text, ?)"
    return [text for (text,) in _engine().cursor().execute(asked, [texts, pattern]).fetchall()] if texts else []


def check_pattern(type_: str, pattern: str, codes: Iterable[str] = ()) -> None:
    """`ValueError` unless it is a regular expression of such a text, one the engine knows too, and codes match it."""
    if kind_of(type_) in _WRITTEN_OTHERWISE:
        raise ValueError(f"a pattern is for texts and numbers without a point, and the type is {type_}")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"pattern: {error}") from None
    if _NOT_OF_THE_ENGINE.search(pattern):
        raise ValueError("pattern: the engine's expressions neither look around nor back")
    if any(int(count) > _MOST_REPEATED for count in _REPEATED.findall(pattern)):
        raise ValueError(f"pattern: the engine's expressions repeat at most {_MOST_REPEATED} times")
    if problem := _refusal(pattern):
        raise ValueError(f"pattern: {problem}")
    if wrong := _unmatched(pattern, list(codes)):
        raise ValueError(f"pattern: the codes {', '.join(wrong)} do not match it")
