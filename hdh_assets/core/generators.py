"""Names of generators of synthetic data that a descriptor may give, and the columns each makes values of.

Names only, so that a wrong one is told with its line; what they make is in `hdh_assets/sources/synth`.
"""

from __future__ import annotations

import re

GENERATORS = ("generic", "snds", "synthea")
"""Of the files of a dataset, by the name in its `synth.generator`."""

_DAYS = frozenset({"date", "timestamp"})
_TEXT = frozenset({"string"})
COLUMN_GENERATORS: dict[str, frozenset[str]] = {
    "birth_date": _DAYS,
    "birth_year": frozenset({"year", "integer"}),
    "commune": _TEXT,
    "commune_department": _TEXT,
    "commune_name": _TEXT,
    "commune_population": frozenset({"integer"}),
    "death_date": _DAYS,
    "first_name": _TEXT,
    "home_commune": _TEXT,
    "last_name": _TEXT,
    "nir": _TEXT,
    "period_start": _DAYS,
    "period_year": frozenset({"year", "integer", "string"}),
    "sex": frozenset({"string", "integer"}),
}
"""Of the values of a column, by the name in its `synth`, with the kinds of column each is for."""
BETWEEN = re.compile(r"between (-?\d+(?:\.\d+)?) (-?\d+(?:\.\d+)?)")
"""A number by chance within two bounds."""
_NUMBERS = {"integer", "decimal", "float", "year"}
_MISSING = {"death_date"}
"""Generators that have no value for some."""


def check_generator(name: str) -> str:
    """The name itself; `ValueError` when no generator of deliveries has it."""
    if name not in GENERATORS:
        raise ValueError(f"no generator of deliveries is called {name!r}: choose {', '.join(GENERATORS)}")
    return name


def check_column_generator(name: str, kind: str, *, is_nullable: bool) -> None:
    """`ValueError` unless it makes values of such a column."""
    is_between = BETWEEN.fullmatch(name) is not None
    if name not in COLUMN_GENERATORS and not is_between:
        known = ", ".join(COLUMN_GENERATORS)
        raise ValueError(f"no generator of values is called {name!r}: choose {known}, or `between 1 5` for a number")
    kinds = _NUMBERS if is_between else COLUMN_GENERATORS[name]
    if kind not in kinds:
        raise ValueError(f"{name!r} makes no {kind}: it is for columns of {', '.join(sorted(kinds))}")
    if name in _MISSING and not is_nullable:
        raise ValueError(f"{name!r} is missing for some: leave out `nullable: false`")
