"""The rules of rows as SQL, made from a descriptor: how the text of a column becomes a value, and what it must obey.

Pure: text in, text out. Every conversion is one that cannot raise (`TRY_…`), because an error would carry a value.
A check is true for a row that breaks it, false or null for one that does not. Running them belongs to `load.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from hdh_assets.core.column import Column, Text
from hdh_assets.core.column_texts import form_of
from hdh_assets.core.column_types import Bound, bound_words, numbers_of
from hdh_assets.core.descriptor import Table
from hdh_assets.core.dialect import Format, is_told_twice
from hdh_assets.core.sql_text import literal, quoted
from hdh_assets.sources.intake.type_words import type_words
from resources.pseudonyms import known_pseudonyms

_WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "j": 3, "y": 2, "b": 3, "f": 6}
_PRECISE = Context(prec=400)
"""Digits of any float written out."""
_FIRST_DAY, _AFTER_LAST_DAY = "DATE '1000-01-01'", "DATE '10000-01-01'"
"""Years have four digits; an offset may lead out of them."""
_OFFSET = "[+-](0[0-9]|1[0-4])(:?[0-5][0-9]){0,2}$"


@dataclass(frozen=True)
class Check:
    """One rule on one column: `broken` is true for a row that breaks it. `expected` is a form or a limit, in words, and
    `expected_fr` the same in French.

    `short` names a text and how many bytes of it obey the rule for sure: cheaper to ask, for all such texts at once.
    """

    rule: str
    column: str
    broken: str
    expected: str = ""
    short: tuple[str, int] | None = None
    expected_fr: str = ""


def values_sql(table: Table, present: Collection[str], dialect: Format, source: str) -> str:
    """A query over `source` (the delivered texts) that adds what they become, each computed once.

    The value of a typed column is beside its text; `value_name` says how it is called, and what a pseudonym is: one
    that the run remembers, found by a join, or else one that the table's function makes.
    """
    columns = [column for column in table.columns if column.lake_name in present]
    added = [
        f"{_cast(column, dialect, quoted(column.lake_name))} AS {_typed_name(column)}"
        for column in columns
        if _is_typed(column)
    ]
    joins = ""
    if types := pseudonymised(table):
        hashed = [column for column in columns if column.lake_name in types]
        added += [f"{_known(column)}._pseudonym AS {_remembered_name(column)}" for column in hashed]
        added.append(f"{_made_sql(table, hashed, dialect)} AS _made")
        joins = "".join(
            f" LEFT JOIN {known_pseudonyms(types[column.lake_name])} AS {_known(column)} "
            f"ON {_known(column)}._identifier = {_identifier(column, dialect)}"
            for column in hashed
        )
    return f"SELECT {', '.join(['_text.*', *added])} FROM {source} AS _text{joins}"


def value_name(column: Column, table: Table, dialect: Format) -> str:
    """The column's value in the lake, over `values_sql`; null where it tells an identity."""
    value = quoted(column.lake_name) if column.kind == "yearmonth" else _typed_name(column)
    if column.is_pseudonymised:
        value = f"coalesce({_remembered_name(column)}, _made.{quoted(column.lake_name)})"
    tellers = (column.identifying_when or {}).items()
    told = [_is_one_of(table.by_name[name.lower()], texts, dialect) for name, texts in tellers]
    return f"CASE WHEN {' OR '.join(told)} THEN NULL ELSE {value} END" if told else value


def filled_sql(column: Column, dialect: Format, value: str = "") -> str:
    """The column of a table of the lake, or this value of it, null also where it is what the producer writes for
    missing.
    """
    name = value or quoted(column.lake_name)
    if not column.sentinels or column.is_pseudonymised:
        return name
    return f"CASE WHEN {name} IN ({_values_of(column, column.sentinels, dialect)}) THEN NULL ELSE {name} END"


def _made_sql(table: Table, hashed: list[Column], dialect: Format) -> str:
    """The pseudonyms that are not remembered; the function is not called for rows that have none."""
    known = {column.lake_name: f"{_known(column)}._pseudonym IS NOT NULL" for column in hashed}
    texts = {column.lake_name: _identifier(column, dialect) for column in hashed}
    fields = [f"{quoted(name)} := CASE WHEN {known[name]} THEN NULL ELSE {text} END" for name, text in texts.items()]
    fields += [f"{quoted(name)} := NULL" for name in pseudonymised(table) if name not in known]
    nothing = " AND ".join(f"({known[name]} OR {text} IS NULL)" for name, text in texts.items()) or "true"
    return f"CASE WHEN {nothing} THEN NULL ELSE {function_name(table)}(struct_pack({', '.join(fields)})) END"


def _known(column: Column) -> str:
    return quoted(f"{column.lake_name}?")


def _remembered_name(column: Column) -> str:
    return quoted(f"{column.lake_name}?=")


def _identifier(column: Column, dialect: Format) -> str:
    """The text a pseudonym is made of: one for a number or a UUID, however it is written.

    A sentinel means that there is nobody: a pseudonym of it would be somebody.
    """
    text = f"_text.{quoted(column.lake_name)}"
    value = _cast(column, dialect, text) if _is_typed(column) else text
    identifier = f"{value}::VARCHAR" if _is_typed(column) else text
    if not column.sentinels:
        return identifier
    missing = _is_one_of(column, column.sentinels, dialect, text, value)
    return f"CASE WHEN {missing} THEN NULL ELSE {identifier} END"


def _is_one_of(column: Column, texts: Iterable[str], dialect: Format, text: str = "", value: str = "") -> str:
    """Whether the text of a column, over `values_sql`, is one of these or another of the same value: `01` for `1`."""
    text, value = text or quoted(column.lake_name), value or _typed_name(column)
    is_told = f"{text} IN ({', '.join(map(literal, texts))})"
    if _is_text(column):
        return is_told
    return f"({is_told} OR coalesce({value} IN ({_values_of(column, texts, dialect)}), false))"


def _values_of(column: Column, texts: Iterable[str], dialect: Format) -> str:
    """What these texts are in the lake, null for one that is none of the column's type."""
    if _is_text(column):
        return ", ".join(map(literal, texts))
    values = [(literal(text), _cast(column, dialect, literal(text))) for text in texts]
    return ", ".join(
        f"CASE WHEN {_not_of_type(column, dialect, text, value)} THEN NULL ELSE {value} END" for text, value in values
    )


def _is_text(column: Column) -> bool:
    return column.kind in {"string", "yearmonth"}


def pseudonymised(table: Table) -> dict[str, str]:
    """Identifier type of each column that becomes a pseudonym."""
    return {c.lake_name: c.identifier_type for c in table.columns if c.is_pseudonymised and c.identifier_type}


def function_name(table: Table) -> str:
    """The engine's function that makes the pseudonyms of a row of this table."""
    return f"pseudonyms_{table.lake_name}"


def checks(table: Table, present: Collection[str], dialect: Format) -> list[Check]:
    """Every rule on the columns of a file (their lake names are `present`), in the order of the descriptor."""
    key = {name.lower() for name in table.primary_key}
    found: list[Check] = []
    for column in table.columns:
        if column.lake_name in present:
            found += _of_column(column, column.lake_name in key, dialect)
            if column.not_before and column.not_before.lower() in present:
                found.append(_order(column, table.by_name[column.not_before.lower()], dialect))
    return found


def valid_sql(all_checks: list[Check]) -> str:
    """True for a row that breaks no rule, else false.

    As the condition of a CASE, and with nothing in it that is true of most rows, it costs the engine half: no verdict
    is written down for each rule and row, and what follows a false side of an AND is not looked at.
    """
    asked = [f"({check.broken})" for check in all_checks if check.short is None]
    for limit in dict.fromkeys(check.short[1] for check in all_checks if check.short):
        alike = [check for check in all_checks if check.short and check.short[1] == limit]
        longest = ", ".join(f"strlen({check.short[0]})" for check in alike if check.short)
        asked.append(f"(greatest({longest}) > {limit} AND ({' OR '.join(f'({check.broken})' for check in alike)}))")
    return f"CASE WHEN {' OR '.join(asked) or 'false'} THEN false ELSE true END"


def _is_typed(column: Column) -> bool:
    """Whether a value stands beside the text. That of a month of a year is a number, which only its check reads."""
    return column.kind != "string"


def _typed_name(column: Column) -> str:
    return quoted(f"{column.lake_name}=" if _is_typed(column) else column.lake_name)


def _cast(column: Column, dialect: Format, text: str) -> str:
    """The typed value of a text of the column, null when it is not one, before any pseudonym."""
    if column.kind == "yearmonth":
        return f"TRY_CAST({text} AS INTEGER)"
    if column.kind in {"decimal", "float"} and dialect.decimal == "," and dialect.kind == "csv":
        return f"TRY_CAST(replace({text}, ',', '.') AS {_plain_type(column)})"
    if column.kind in {"date", "timestamp"} and (form := _form(column, dialect)) is not None:
        return f"TRY_CAST(TRY_STRPTIME({text}, {literal(form)}) AS {_plain_type(column)})"
    return f"TRY_CAST({text} AS {_plain_type(column)})"


def _of_column(column: Column, is_key: bool, dialect: Format) -> Iterator[Check]:
    text = quoted(column.lake_name)
    is_missing = f"{text} IN ({', '.join(map(literal, column.sentinels))})"
    if is_key or not column.nullable:
        # a text that means missing may be none of the column's type: a key would be empty
        is_none = f" OR ({is_missing} AND {_typed_name(column)} IS NULL)"
        yield Check("required", column.name, f"{text} IS NULL{is_none if is_key and column.sentinels else ''}")
    unless = _unless(column, dialect)
    for rule, broken, expected in _on_text(column, dialect):
        short = (text, column.length) if rule == "length" and column.length is not None else None
        expected_fr = words_of(column, dialect).fr if rule == "type" else expected
        # casts round and guess: what is none of the type is missing by its text alone, not by what a cast makes of it
        spared = f" AND NOT {is_missing}" if rule == "type" and column.sentinels else unless
        yield Check(rule, column.name, f"({broken}){spared}", expected, short, expected_fr)


def _on_text(column: Column, dialect: Format) -> Iterator[tuple[str, str, str]]:
    """Rule, what is true of a text that breaks it and not true of none, and what is expected, in words."""
    text, value = quoted(column.lake_name), _typed_name(column)
    if (broken := _not_of_type(column, dialect, text, value)) is not None:
        yield "type", broken, words_of(column, dialect).en
    if column.length is not None:
        yield "length", f"length({text}) > {column.length}", str(column.length)
    if column.codes is not None:
        codes = (str(int(code)) if column.kind == "integer" else literal(code) for code in column.codes)
        yield "in_list", f"{value} NOT IN ({', '.join(codes)})", ""
    if column.minimum is not None or column.maximum is not None:
        yield "range", _out_of_range(column, value), _range_words(column)
    if column.pattern is not None:
        yield "pattern", f"NOT regexp_full_match({text}, {literal(column.pattern)})", column.pattern


def _order(column: Column, earlier: Column, dialect: Format) -> Check:
    broken = f"{_typed_name(column)} < {_typed_name(earlier)}"
    spared = f"{_unless(column, dialect)}{_unless(earlier, dialect)}"
    return Check("order", column.name, f"({broken}){spared}", earlier.name)


def _unless(column: Column, dialect: Format) -> str:
    """Spares a text that means missing."""
    return f" AND NOT {_is_one_of(column, column.sentinels, dialect)}" if column.sentinels else ""


def _not_of_type(column: Column, dialect: Format, text: str, value: str) -> str | None:
    """What makes a text none of the type, its value being this: the engine's own casts round, trim and guess."""
    is_none = f"{value} IS NULL AND {text} IS NOT NULL"
    point = "." if dialect.kind == "parquet" else re.escape(dialect.decimal)
    match column.kind:
        case "string":
            return None
        case "integer":
            return _otherwise_written(text, value, "[+-]?[0-9]+")
        case "decimal":
            scale = numbers_of(column.type)[1]
            some = f"[0-9]{{1,{scale}}}0*" if scale else "0+"
            form = rf"[+-]?([0-9]+({point}[0-9]{{0,{scale}}}0*)?|{point}{some})"
            return _otherwise_written(text, value, form, reads_back=point != ",")
        case "float":
            form = rf"[+-]?([0-9]+{point}?[0-9]*|{point}[0-9]+)([eE][+-]?[0-9]+)?|NaN"
            if dialect.kind == "parquet":
                form += "|nan"
            # a number too large for the type would become infinite in silence
            return f"{_otherwise_written(text, value, form, reads_back=False)} OR isinf({value})"
        case "year":
            return _otherwise_written(text, value, "[0-9]{4}", reads_back=False)
        case "yearmonth":
            # six characters that make a number of six digits, the last two of them no zeros of an exponent
            is_other = f"{value} % 100 < 1 OR {value} % 100 > 12"
            return f"{is_none} OR {value} < 100001 OR {value} > 299912 OR {is_other} OR strlen({text}) <> 6"
        case "boolean":
            return f"lower({text}) NOT IN ('true', 'false', '0', '1')"
        case "uuid":
            # the cast takes braces, and hyphens anywhere or nowhere
            return f"{value}::VARCHAR IS DISTINCT FROM lower({text})"
        case _:
            if dialect.kind == "parquet":
                # a cast would cut hours of a date and what is finer than a microsecond off in silence; an instant is
                # written in UTC, and no date, since its day depends on where one is
                day = "[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
                hours = (
                    r"00:00:00(\.0+)?" if column.kind == "date" else r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6}0*)?Z?"
                )
                return _otherwise_written(text, value, f"{day}([ T]{hours})?", reads_back=False)
            is_far = f"{value} < {_FIRST_DAY} OR {value} >= {_AFTER_LAST_DAY}"
            return f"{is_none} OR {is_far} OR {_skipped(text, value, _form(column, dialect))}"


def _otherwise_written(text: str, value: str, form: str, *, reads_back: bool = True) -> str:
    """Whether a text is not written in the form. Most that `reads_back` are the text of their value: cheaper to see."""
    suspect = f"{value}::VARCHAR IS DISTINCT FROM {text}" if reads_back else f"{text} IS NOT NULL"
    return f"{suspect} AND ({value} IS NULL OR NOT regexp_full_match({text}, {literal(form)}))"


def _skipped(text: str, value: str, form: str | None) -> str:
    """Whether a text has white space in a digit's place, which strptime skips, or a width that its form has not.

    Or a day that its own form would write otherwise.
    """
    # white space sorts before "!"
    signs = [f"{text} < '!'", f"{text}[-1] < '!'"]
    if form and (width := _width(form)):
        signs.insert(0, f"strlen({text}) <> {width}")
    if form and " " in form:
        signs.append(rf"regexp_matches({text}, '[^\S ]|  ')")
    if form and form.endswith("%z"):
        signs.append(f"NOT regexp_matches({text}, {literal(_OFFSET)})")
    if form and is_told_twice(form):
        # strptime takes the 366th day of any year for the first of the next, and any day of the week for any day
        signs.append(f"lower(strftime({value}, {literal(form)})) <> lower({text})")
    return " OR ".join(signs)


def _out_of_range(column: Column, value: str) -> str:
    bounds = [f"isnan({value})"] if column.kind == "float" else []
    if column.minimum is not None:
        bounds.append(f"{value} < {_bound(column, column.minimum, ROUND_CEILING)}")
    if column.maximum is not None:
        bounds.append(f"{value} > {_bound(column, column.maximum, ROUND_FLOOR)}")
    # null for a text that is not of the type: it breaks rule `type`, not this one too
    return " OR ".join(bounds)


def _bound(column: Column, bound: Bound, rounding: str) -> str:
    """The bound with no more digits after the point than its column has.

    To compare with a finer one the engine gives the value those digits too, which may raise, with the value.
    """
    if column.kind == "float":
        return repr(float(bound))
    scale = numbers_of(column.type)[1] if column.kind == "decimal" else 0
    digits = Decimal(repr(bound)).quantize(Decimal(1).scaleb(-scale), rounding, _PRECISE)
    return f"{digits:f}"


def _range_words(column: Column) -> str:
    low = "" if column.minimum is None else f"≥ {bound_words(column.minimum)}"
    high = "" if column.maximum is None else f"≤ {bound_words(column.maximum)}"
    return ", ".join(bound for bound in (low, high) if bound)


def words_of(column: Column, dialect: Format) -> Text:
    """What a value of the column is, and how it is written, in words of its producer."""
    form = _form(column, dialect) if column.kind in {"date", "timestamp"} else None
    has_comma = column.kind in {"decimal", "float"} and dialect.decimal == "," and dialect.kind == "csv"
    return type_words(column, form, has_comma=has_comma)


def _plain_type(column: Column) -> str:
    """The lake's type of the column were it not pseudonymised."""
    return column.model_copy(update={"identifier_type": None}).duckdb_type


def _form(column: Column, dialect: Format) -> str | None:
    """Strptime form of a date or timestamp; None in Parquet, where they are typed."""
    if dialect.kind == "parquet":
        return None
    return form_of(column, dialect)


def _width(form: str) -> int | None:
    """Characters of every text of that form, when they are always as many."""
    directives = re.findall(r"%(.)", form)
    if not all(directive in _WIDTHS for directive in directives):
        return None
    return len(re.sub(r"%.", "", form)) + sum(_WIDTHS[directive] for directive in directives)
