"""Names and texts as SQL writes them, whatever characters they hold: an apostrophe in a folder is a common one."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """A text, or a path."""
    return "'" + str(text).replace("'", "''") + "'"
