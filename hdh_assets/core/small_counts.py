"""Counts of persons that are too small to be told. Source: rule 48, the usual practice with French health data."""

from __future__ import annotations

SMALL_CELL = 11
"""Counts of 1 to 10 persons are not published; 0 may be."""


def is_small(persons: int) -> bool:
    """Whether a count of persons is one that is not published."""
    return 0 < persons < SMALL_CELL


def told(count: int | None) -> int | str | None:
    """A count of persons, or of rows about them, where it may be told; else the words in its place."""
    return published(count) if count is not None and is_small(count) else count


def published(persons: int, text: str | None = None) -> str:
    """The count as it may be published; `text` is how it is written otherwise."""
    return f"fewer than {SMALL_CELL}" if is_small(persons) else text or str(persons)
