"""Names and texts as SQL writes them, whatever characters they hold: an apostrophe in a folder is a common one."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(name: str) -> str:
    """A name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """A text, or a path."""
    return "'" + str(text).replace("'", "''") + "'"


def first_filled(names: Iterable[str], of: str = "") -> str:
    """The first of these columns that is filled; of the rows that `of` names."""
    columns = [f"{of}.{quoted(name)}" if of else quoted(name) for name in names]
    return columns[0] if len(columns) == 1 else f"coalesce({', '.join(columns)})"
