"""Deliveries whose values are the farthest that their descriptor allows: absurd, and accepted by intake."""

from __future__ import annotations

import csv
import random
from decimal import Context, Decimal
from pathlib import Path

from hdh_assets.core.column import Column
from hdh_assets.core.column_types import numbers_of
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.dialect import Format
from hdh_assets.sources.intake.seal import seal

_EXACT = Context(prec=40)
_INTEGERS = (2**63 - 1, -(2**63), 2**31, 2**31 - 1, -(2**31) - 1, 32_768, 0, -1)
_YEARS = (1, 1000, 1900, 2100, 9999)
_FLOATS = ("1e308", "-1e308", "1e-300", "0")
_DAYS = ((1000, 1, 1), (1899, 12, 31), (2023, 12, 31), (2262, 4, 12), (9999, 12, 31))


def exaggerate(folder: Path, dataset: Dataset, period: str, *, seed: int, share: float) -> None:
    """Put an extreme value in that share of the fields of a CSV delivery that no key holds, and seal it again."""
    chance, form = random.Random(seed), dataset.format
    for table in dataset.tables:
        path = folder / f"{table.name}.csv"
        with path.open(encoding=form.encoding, newline="") as file:
            header, *rows = csv.reader(file, delimiter=form.delimiter)
        for place, name in enumerate(header):
            column = table.by_name[name.lower()]
            extremes = _extremes(column, form) if _is_free(column, table, dataset) else []
            for row in rows if extremes else []:
                if chance.random() < share:
                    row[place] = chance.choice(extremes)
        with path.open("w", encoding=form.encoding, newline="") as file:
            csv.writer(file, delimiter=form.delimiter, lineterminator="\n").writerows([header, *rows])
    (folder / "manifest.json").unlink()
    seal(folder, dataset, period)


def _is_free(column: Column, table: Table, dataset: Dataset) -> bool:
    """Whether nothing but the column's own type and bounds says what it may hold."""
    held = {name.lower() for name in table.primary_key}
    held |= {name.lower() for key in table.foreign_keys for name in key.columns}
    held |= {
        name.lower()
        for other in dataset.tables
        for key in other.foreign_keys
        if key.table.lower() == table.lake_name
        for name in key.target_columns
    }
    is_ordered = column.not_before or any(c.not_before == column.name for c in table.columns)
    return not (column.lake_name in held or column.identifier_type or column.codes or column.pattern or is_ordered)


def _extremes(column: Column, form: Format) -> list[str]:
    match column.kind:
        case "integer":
            return [str(number) for number in _INTEGERS if _is_within(column, number)]
        case "year":
            return [f"{year:04d}" for year in _YEARS if _is_within(column, year)]
        case "decimal":
            digits, scale = numbers_of(column.type)
            numbers = [Decimal(n).scaleb(-scale, _EXACT) for n in (10**digits - 1, 1 - 10**digits, 0, 1, -1)]
            return [f"{n:f}".replace(".", form.decimal) for n in numbers if _is_within(column, n)]
        case "float":
            return [text for text in _FLOATS if _is_within(column, float(text))]
        case "yearmonth":
            return ["100001", "299912"]
        case "date" | "timestamp":
            pattern = column.format or (form.date if column.kind == "date" else form.timestamp)
            return [_moment(pattern, *day) for day in _DAYS]
        case _:
            return []


def _is_within(column: Column, number: float | Decimal) -> bool:
    low, high = column.minimum, column.maximum
    return (low is None or number >= low) and (high is None or number <= high)


def _moment(pattern: str, year: int, month: int, day: int) -> str:
    parts = {"%Y": f"{year:04d}", "%m": f"{month:02d}", "%d": f"{day:02d}", "%H": "23", "%M": "59", "%S": "59"}
    for directive, text in parts.items():
        pattern = pattern.replace(directive, text)
    return pattern
