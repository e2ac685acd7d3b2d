"""What a descriptor says of a column as text, and whether the producer's files could hold it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hdh_assets.core.column import Column
from hdh_assets.core.dialect import Format, is_day_of_another_form
from hdh_assets.core.problems import Location


def unwritable(column: Column, dialect: Format) -> Iterator[tuple[str, Location]]:
    """What no file of that dialect can hold, each with the way to it from the column.

    Names at the head and texts in Parquet become comma-separated text, too; only names have no quotes there.
    """
    delimiter = dialect.delimiter if dialect.kind == "csv" else ","
    for number, alias in enumerate(column.aliases):
        if delimiter in alias:
            yield f"the delimiter is part of {alias}, and would end it", ("aliases", number)
    if dialect.kind != "csv":
        return
    yield from _of_days(column, dialect)
    said: list[tuple[str, Iterable[str]]] = [("codes", column.codes or ()), ("sentinels", column.sentinels)]
    for field, texts in said:
        for number, text in enumerate(texts):
            if dialect.quote is None and delimiter in text:
                place = (field, number if field == "sentinels" else text)
                yield f"the delimiter is part of {text}, and there are no quotes", place
            if not _has_bytes(text, dialect.encoding):
                place = (field, number if field == "sentinels" else text)
                yield f"{text} cannot be written in {dialect.encoding}, the encoding of the files", place


def _of_days(column: Column, dialect: Format) -> Iterator[tuple[str, Location]]:
    """A date written with the delimiter needs quotes around it; what means missing is written as the others are."""
    forms = {"date": dialect.date, "timestamp": dialect.timestamp}
    if column.kind not in forms:
        return
    form, place = column.format or forms[column.kind], ("format",) if column.format else ()
    if dialect.quote is None and dialect.delimiter in form:
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
