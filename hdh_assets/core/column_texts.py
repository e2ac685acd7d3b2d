"""What a descriptor says of a column as text, and whether the producer's files could hold it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hdh_assets.core.column import Column
from hdh_assets.core.column_types import numbers_of
from hdh_assets.core.dialect import Format, is_day_of_another_form, is_written_so
from hdh_assets.core.problems import Location

_INTEGERS = range(-(2**63), 2**63)
_LONGEST_INTEGER = 400
"""Digits, with zeros before it, that are read as a number at all."""
_PARQUET_DAY = "%Y-%m-%d"
_PARQUET_HOURS = r"[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6}0*)?Z?"
_TEXTS = {
    "year": "[0-9]{4}",
    "yearmonth": "[12][0-9]{3}(0[1-9]|1[0-2])",
    "boolean": "(?i:true|false|0|1)",
    "uuid": "(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})",
}
"""How texts look of a type that is written in one way in all files."""


def unwritable(column: Column, dialect: Format) -> Iterator[tuple[str, Location]]:
    """What no file of that dialect can hold, each with the way to it from the column.

    Names at the head and texts in Parquet become comma-separated text, too; only names have no quotes there.
    """
    delimiter = dialect.delimiter if dialect.kind == "csv" else ","
    for number, alias in enumerate(column.aliases):
        if delimiter in alias:
            yield f"the delimiter is part of {alias}, and would end it", ("aliases", number)
    if column.kind in {"date", "timestamp"}:
        yield from _of_days(column, dialect)
    if dialect.kind != "csv":
        return
    for text, place in _said(column):
        if dialect.quote is None and delimiter in text:
            yield f"the delimiter is part of {text}, and there are no quotes", place
        if not _has_bytes(text, dialect.encoding):
            yield f"{text} cannot be written in {dialect.encoding}, the encoding of the files", place


def _said(column: Column) -> Iterator[tuple[str, Location]]:
    """Texts of files that a column names, each with the way to it."""
    for code in column.codes or ():
        yield code, ("codes", code)
    for number, text in enumerate(column.sentinels):
        yield text, ("sentinels", number)
    for name, texts in (column.identifying_when or {}).items():
        for number, text in enumerate(texts):
            yield text, ("identifying_when", name, number)


def never_told(column: Column, columns: Mapping[str, Column], dialect: Format) -> Iterator[tuple[str, Location]]:
    """Texts said to tell of an identity that are none of the telling column's values, with the way to them.

    No row would have them, and the identities would stay in the lake. `columns` are those of the table by lake name.
    """
    for name, texts in (column.identifying_when or {}).items():
        teller = columns[name.lower()]
        if teller.codes is None and (never := sorted({t for t in texts if not _may_hold(teller, t, dialect)})):
            reason = f"{teller.name} is never {', '.join(never)}, which is no {teller.type} as the files have them"
            yield reason, ("identifying_when", name)


def _may_hold(column: Column, text: str, dialect: Format) -> bool:
    """Whether a text of a file may be a value of the column, or mean that it has none; an empty one never is."""
    if text in column.sentinels:
        return True
    point = re.escape(dialect.decimal) if dialect.kind == "csv" else r"\."
    match column.kind:
        case "string":
            return 0 < len(text) <= (column.length or len(text))
        case "integer":
            is_read = len(text) <= _LONGEST_INTEGER and re.fullmatch("[+-]?[0-9]+", text)
            return bool(is_read) and int(text) in _INTEGERS
        case "decimal":
            digits, scale = numbers_of(column.type)
            form = rf"[+-]?(?=.*[0-9])0*[0-9]{{0,{digits - scale}}}({point}[0-9]{{0,{scale}}}0*)?"
            return re.fullmatch(form, text) is not None
        case "float":
            form = rf"[+-]?([0-9]+{point}?[0-9]*|{point}[0-9]+)([eE][+-]?[0-9]+)?|NaN"
            return re.fullmatch(f"{form}|nan" if dialect.kind == "parquet" else form, text) is not None
        case "date" | "timestamp" if dialect.kind == "parquet":
            hours = r"[ T]00:00:00(\.0+)?" if column.kind == "date" else _PARQUET_HOURS
            return is_written_so(text[:10], _PARQUET_DAY) and re.fullmatch(f"({hours})?", text[10:]) is not None
        case "date" | "timestamp":
            return is_written_so(text, form_of(column, dialect))
        case kind:
            return re.fullmatch(_TEXTS[kind], text) is not None


def form_of(column: Column, dialect: Format) -> str:
    """The strptime form of a date or timestamp in delimited text; in Parquet they are typed."""
    return column.format or (dialect.date if column.kind == "date" else dialect.timestamp)


def _of_days(column: Column, dialect: Format) -> Iterator[tuple[str, Location]]:
    """A date written with the delimiter needs quotes around it; what means missing is written as the others are."""
    form, place = form_of(column, dialect), ("format",) if column.format else ()
    if dialect.kind == "parquet":
        form = _PARQUET_DAY
    elif dialect.quote is None and dialect.delimiter in form:
        yield f"the delimiter is part of {form}, and there are no quotes", place
    for number, text in enumerate(column.sentinels):
        if is_day_of_another_form(text, form):
            reason = f"{text} is a day, but not as {column.name} has them, which are {form}: write it in that form"
            yield reason, ("sentinels", number)


def _has_bytes(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
