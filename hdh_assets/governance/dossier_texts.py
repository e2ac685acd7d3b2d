"""What a text of a dossier may hold: terminals of committee and operator show it, and an extract's README.

What a field means, and whether the hub can answer it, is in `dossier.py`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

Field = tuple[str | int, ...]

_LONGEST = {"title": 300, "purpose": 20_000, "public_interest": 20_000, "legal_basis": 2_000}
_LONGEST_NAME = 300
"""Of every other text, in characters: names, addresses, codes."""
_OF_LINES = {"purpose", "public_interest"}
"""Texts of several lines."""
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
"""Categories of characters that steer a terminal, break a line, or are none."""
_TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing: what is read is then not what is there."""


def unfit_texts(part: Any, field: Field = ()) -> Iterator[tuple[Field, str]]:
    """What is wrong with the texts of a dossier, dumped as plain values, as (field, problem)."""
    match part:
        case dict():
            for name, within in part.items():
                yield from unfit_texts(within, (*field, name))
        case list() | tuple():
            for index, within in enumerate(part):
                yield from unfit_texts(within, (*field, index))
        case str():
            if problem := _problem(part, str(field[0])):
                yield field, problem


def _problem(text: str, name: str) -> str:
    longest = _LONGEST.get(name, _LONGEST_NAME)
    if len(text) > longest:
        return f"is longer than {longest} characters: say it in fewer"
    allowed = "\n\t" if name in _OF_LINES else ""
    unfit = next((sign for sign in text if is_unseen(sign) and sign not in allowed), None)
    if unfit == "\n":
        return "a line break is in it, where one line is expected: write it on one line"
    return f"a character that nobody sees is in it (U+{ord(unfit):04X}): write plain text" if unfit else ""


def is_unseen(sign: str) -> bool:
    """Whether a character steers who reads it, instead of being read."""
    return unicodedata.category(sign) in _UNSEEN or sign in _TURNING
