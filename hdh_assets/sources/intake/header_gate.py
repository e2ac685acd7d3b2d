"""The gate of headers: which declared column stands where in a file, by exact name or alias, in any case declared.

Names only; values belong to `row_rules.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from hdh_assets.core.column import Column, spelled
from hdh_assets.core.descriptor import Table
from hdh_assets.core.dialect import Format
from hdh_assets.sources.intake.receipt import DeliveryRefusedError, Problem, problem, refuse
from hdh_assets.sources.intake.text_structure import MARKED_FEED


@dataclass(frozen=True)
class Header:
    """The columns of one file, in the file's order; `missing` are the optional ones it lacks."""

    columns: tuple[Column, ...]
    missing: tuple[Column, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """Lake names of the columns present."""
        return frozenset(column.lake_name for column in self.columns)


def split_header(blocks: Iterator[bytes], dialect: Format, file: str) -> tuple[list[str], Iterator[bytes]]:
    """The names on the first line, and the blocks after it, both as `text_structure.py` leaves them.

    Raises `DeliveryRefusedError` without such a line.
    """
    first = next(blocks, b"")
    line, _, rest = first.partition(b"\n")
    if not line:
        raise refuse("empty_file", file=file, line=1)
    if line.endswith(MARKED_FEED):
        # the first line ends within quotes
        raise _no_header(dialect, file)
    names = line.decode("utf-8").split(dialect.delimiter)
    return names, _chain(rest, blocks)


def check_header(names: list[str], table: Table, dialect: Format, file: str) -> Header:
    """Which column is where. Raises `DeliveryRefusedError` naming every one missing, doubled, unknown or out of order.

    A name not declared is told by its position alone: it may be a row of data where the header should be. A text in
    which none is declared has no header, or another separator: a line for each column would not say so.
    """
    known = spellings(table)
    found = [known.get(spelled(name)) for name in names]
    present = [column for column in found if column is not None]
    if not present and dialect.kind == "csv":
        raise _no_header(dialect, file)
    times = Counter(column.lake_name for column in present)
    missing = [column for column in table.columns if column.lake_name not in times]
    # named columns first: a hostile header has millions of unknown ones, and a receipt has an end
    problems = chain(_doubled(table, times, file), _missing(missing, file), _unknown(found, file))
    if (first := next(problems, None)) is not None:
        raise DeliveryRefusedError(chain([first], problems))
    if dialect.column_order == "declared" and list(times) != [name for name in table.by_name if name in times]:
        raise refuse("column_order", file=file, line=1)
    return Header(tuple(present), tuple(missing))


def _no_header(dialect: Format, file: str) -> DeliveryRefusedError:
    return refuse("header", file=file, line=1, expected={"\t": "\\t"}.get(dialect.delimiter, dialect.delimiter))


def spellings(table: Table) -> dict[str, Column]:
    """The declared columns by each of their names, aliases included, as `spelled`."""
    return {spelled(name): column for column in table.columns for name in (column.name, *column.aliases)}


def _unknown(found: list[Column | None], file: str) -> Iterator[Problem]:
    for position, column in enumerate(found, start=1):
        if column is None:
            yield problem("unknown_column", file=file, line=1, position=position)


def _doubled(table: Table, times: Mapping[str, int], file: str) -> Iterator[Problem]:
    for column in table.columns:
        if times.get(column.lake_name, 0) > 1:
            yield problem("duplicate_column", file=file, line=1, column=column.name)


def _missing(missing: list[Column], file: str) -> Iterator[Problem]:
    for column in missing:
        if not column.optional:
            yield problem("missing_column", file=file, line=1, column=column.name)


def _chain(rest: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if rest:
        yield rest
    yield from blocks
