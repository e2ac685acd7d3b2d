"""Texts that match a regular expression, as one SQL expression over a number: the same number, the same text.

A pattern is read as a sequence of places, each with the characters it allows; repetitions take their least count (at
least one), alternatives their first branch. Different numbers below the product of the places give different texts.
"""

from __future__ import annotations

import math
import string
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from hdh_assets.core.sql_text import literal

_CATEGORIES = {
    op.CATEGORY_DIGIT: string.digits,
    op.CATEGORY_WORD: string.ascii_letters + string.digits + "_",
    op.CATEGORY_SPACE: " ",
}


def places(pattern: str) -> list[str]:
    """The characters allowed at each place of the shortest text that matches. Raises `re.error` on a bad pattern."""
    return _places(parser.parse(pattern))


def matching(pattern: str, number: str) -> str:
    """An SQL expression of a text matching the pattern, drawn by the SQL expression `number` (not negative)."""
    parts, divisor = [], 1
    for allowed in places(pattern):
        if len(allowed) == 1:
            parts.append(literal(allowed))
            continue
        parts.append(f"substr({literal(allowed)}, (1 + ({number}) // {divisor} % {len(allowed)})::BIGINT, 1)")
        divisor = min(divisor * len(allowed), 1 << 60)
    return f"concat({', '.join(parts)})" if parts else "''"


def _places(tokens: Any) -> list[str]:
    found: list[str] = []
    for code, argument in tokens:
        if code in (op.MAX_REPEAT, op.MIN_REPEAT):
            least, most, body = argument
            found += _places(body) * (least or min(1, most))
        elif code is op.SUBPATTERN:
            found += _places(argument[-1])
        elif code is op.BRANCH:
            found += _places(argument[1][0])
        elif code is not op.AT:
            found.append(_characters(code, argument))
    return found


def _characters(code: Any, argument: Any) -> str:
    if code is op.LITERAL:
        return chr(argument)
    if code is op.RANGE:
        return "".join(chr(n) for n in range(argument[0], argument[1] + 1))
    if code is op.CATEGORY:
        return _CATEGORIES.get(argument, "x")
    if code is op.IN:
        allowed = [_characters(c, a) for c, a in argument if c is not op.NEGATE]
        if argument[0][0] is op.NEGATE:
            return "".join(sorted(set(string.ascii_letters + string.digits) - set("".join(allowed))))
        return "".join(dict.fromkeys("".join(allowed)))
    return "x"


def room(pattern: str) -> int:
    """How many different texts `matching` gives."""
    return math.prod(len(allowed) for allowed in places(pattern))
