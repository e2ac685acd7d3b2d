"""What a value of a column is expected to be, in the words of its producer: a kind, and the form of a day or number.

Words only; what a text must obey is in `row_rules.py`.
"""

from __future__ import annotations

import re

from hdh_assets.core.column import Column, Text
from hdh_assets.core.column_types import numbers_of

_KINDS = {
    "string": "texte",
    "integer": "entier",
    "decimal": "décimal",
    "float": "nombre",
    "date": "date",
    "timestamp": "date et heure",
    "year": "année",
    "yearmonth": "année et mois",
    "boolean": "booléen",
    "uuid": "uuid",
}
_PARTS = {
    "Y": ("yyyy", "aaaa"),
    "y": ("yy", "aa"),
    "m": ("mm", "mm"),
    "b": ("mmm", "mmm"),
    "B": ("mmmm", "mmmm"),
    "d": ("dd", "jj"),
    "j": ("ddd", "jjj"),
    "a": ("weekday", "jour"),
    "A": ("weekday", "jour"),
    "H": ("hh", "hh"),
    "I": ("hh", "hh"),
    "M": ("mm", "mm"),
    "S": ("ss", "ss"),
    "f": ("ffffff", "ffffff"),
    "p": ("AM/PM", "AM/PM"),
    "z": ("+hhmm", "+hhmm"),
    "Z": ("zone", "fuseau"),
    "%": ("%", "%"),
}
"""A directive of strptime as English and French readers write it."""
_FORMS = {
    "timestamp": Text(en="to the microsecond at most, any zone", fr="au plus à la microseconde, tout fuseau"),
    "yearmonth": Text(en="yyyymm", fr="aaaamm"),
    "boolean": Text(en="true, false, 0 or 1", fr="true, false, 0 ou 1"),
}
"""Forms of what no form is declared for: a timestamp in Parquet, and kinds that have one form only."""
_DIRECTIVE = re.compile(r"%(-?)(.)")


def type_words(column: Column, form: str | None, *, has_comma: bool) -> Text:
    """The type of a column; `form` is the strptime form of its days, `has_comma` says how its decimals are written."""
    example = _example(column) if has_comma else ""
    told = form_words(form) if form else _FORMS.get(column.kind)
    return Text(
        en=f"{column.type}{f' {told.en}' if told else ''}{example}",
        fr=f"{column.type.replace(column.kind, _KINDS[column.kind], 1)}{f' {told.fr}' if told else ''}{example}",
    )


def _example(column: Column) -> str:
    """A number with a decimal comma that is one of the column."""
    whole, *scale = numbers_of(column.type) or (None,)
    if scale == [0]:
        return ""
    return " (0,5)" if scale == [whole] else " (1,5)"


def form_words(form: str) -> Text:
    """A form of strptime as readers write it: `%d/%m/%Y` is dd/mm/yyyy, jj/mm/aaaa in French."""

    def written(language: int) -> str:
        return _DIRECTIVE.sub(lambda part: _PARTS[part[2]][language][: 1 if part[1] else None], form)

    return Text(en=written(0), fr=written(1))
