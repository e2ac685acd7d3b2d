"""The rules of rows as SQL, made from a descriptor: how the text of a column becomes a value, and what it must obey.

Pure: text in, text out. Every conversion is one that cannot raise (`TRY_…`), because an error would carry a value.
A check is false for a row that breaks it, true or null for one that does not. Running them belongs to `load.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hdh_assets.core.descriptor import Column, Table
from hdh_assets.core.dialect import Format
from hdh_assets.core.sql_text import literal, quoted
from resources.pseudonyms import known_pseudonyms

_WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "j": 3, "y": 2, "b": 3, "f": 6}
_SHORTEST_YEAR = "DATE '1000-01-01'"


@dataclass(frozen=True)
class Check:
    """One rule on one column: `sql` is false for a row that breaks it. `expected` is a form or a limit, in words.

    `short` names a text and how many bytes of it obey the rule for sure: cheaper to ask, for all such texts at once.
    """

    rule: str
    column: str
    sql: str
    expected: str = ""
    short: tuple[str, int] | None = None


def values_sql(table: Table, present: Collection[str], dialect: Format, source: str) -> str:
    """A query over `source` (the delivered texts) that adds what they become, each computed once.

    The value of a typed column is beside its text; `value_name` says how it is called, and what a pseudonym is: one
    that the run remembers, found by a join, or else one that the table's function makes.
    """
    columns = [column for column in table.columns if column.lake_name in present]
    added = [f"{_cast(column, dialect)} AS {_typed_name(column)}" for column in columns if _is_typed(column)]
    joins = ""
    if types := pseudonymised(table):
        hashed = [column for column in columns if column.lake_name in types]
        added += [f"{_known(column)}._pseudonym AS {_remembered_name(column)}" for column in hashed]
        added.append(f"{_made_sql(table, hashed)} AS _made")
        joins = "".join(
            f" LEFT JOIN {known_pseudonyms(types[column.lake_name])} AS {_known(column)} "
            f"ON {_known(column)}._identifier = {_identifier(column)}"
            for column in hashed
        )
    return f"SELECT {', '.join(['_text.*', *added])} FROM {source} AS _text{joins}"


def value_name(column: Column) -> str:
    """The column's value in the lake, over `values_sql`; null where it tells an identity."""
    value = quoted(column.lake_name) if column.kind == "yearmonth" else _typed_name(column)
    if column.is_pseudonymised:
        value = f"coalesce({_remembered_name(column)}, _made.{quoted(column.lake_name)})"
    told = [_is_one_of(name.lower(), texts) for name, texts in (column.identifying_when or {}).items()]
    return f"CASE WHEN {' OR '.join(told)} THEN NULL ELSE {value} END" if told else value


def _made_sql(table: Table, hashed: list[Column]) -> str:
    """The pseudonyms that are not remembered; the function is not called for rows that have none."""
    known = {column.lake_name: f"{_known(column)}._pseudonym IS NOT NULL" for column in hashed}
    fields = [
        f"{quoted(column.lake_name)} := CASE WHEN {known[column.lake_name]} THEN NULL ELSE {_identifier(column)} END"
        for column in hashed
    ]
    fields += [f"{quoted(name)} := NULL" for name in pseudonymised(table) if name not in known]
    nothing = " AND ".join(f"({known[c.lake_name]} OR {_identifier(c)} IS NULL)" for c in hashed) or "true"
    return f"CASE WHEN {nothing} THEN NULL ELSE {function_name(table)}(struct_pack({', '.join(fields)})) END"


def _known(column: Column) -> str:
    return quoted(f"{column.lake_name}?")


def _remembered_name(column: Column) -> str:
    return quoted(f"{column.lake_name}?=")


def _identifier(column: Column) -> str:
    """The text a pseudonym is made of. A sentinel means that there is nobody: a pseudonym of it would be somebody."""
    name = f"_text.{quoted(column.lake_name)}"
    if not column.sentinels:
        return name
    return f"CASE WHEN {_is_one_of(column.lake_name, column.sentinels)} THEN NULL ELSE {name} END"


def _is_one_of(name: str, texts: tuple[str, ...]) -> str:
    return f"{quoted(name)} IN ({', '.join(map(literal, texts))})"


def pseudonymised(table: Table) -> dict[str, str]:
    """Identifier type of each column that becomes a pseudonym."""
    return {c.lake_name: c.identifier_type for c in table.columns if c.is_pseudonymised and c.identifier_type}


def function_name(table: Table) -> str:
    """The engine's function that makes the pseudonyms of a row of this table."""
    return f"pseudonyms_{table.lake_name}"


def checks(table: Table, present: Collection[str], dialect: Format) -> list[Check]:
    """Every rule on the columns of a file (their lake names are `present`), in the order of the descriptor."""
    key = {name.lower() for name in table.primary_key}
    return [
        check
        for column in table.columns
        if column.lake_name in present
        for check in _of_column(column, column.lake_name in key, dialect)
    ]


def valid_sql(all_checks: list[Check]) -> str:
    """True for a row that obeys every rule."""
    asked = [f"({check.sql})" for check in all_checks if check.short is None]
    for limit in dict.fromkeys(check.short[1] for check in all_checks if check.short):
        alike = [check for check in all_checks if check.short and check.short[1] == limit]
        longest = ", ".join(f"strlen({check.short[0]})" for check in alike if check.short)
        every = " AND ".join(f"({check.sql})" for check in alike)
        # CASE and not OR, of which the engine evaluates both sides
        asked.append(f"CASE WHEN coalesce(greatest({longest}), 0) <= {limit} THEN true ELSE {every} END")
    return f"coalesce({' AND '.join(asked) or 'true'}, true)"


def _is_typed(column: Column) -> bool:
    """Whether a value stands beside the text. That of a month of a year is a number, which only its check reads."""
    return column.kind != "string"


def _typed_name(column: Column) -> str:
    return quoted(f"{column.lake_name}=" if _is_typed(column) else column.lake_name)


def _cast(column: Column, dialect: Format) -> str:
    """The typed value of a column's text, null when it is not one, before any pseudonym."""
    text = quoted(column.lake_name)
    if column.kind == "yearmonth":
        return f"TRY_CAST({text} AS INTEGER)"
    if column.kind in {"decimal", "float"} and dialect.decimal == "," and dialect.kind == "csv":
        return f"TRY_CAST(replace({text}, ',', '.') AS {_plain_type(column)})"
    if column.kind in {"date", "timestamp"} and (form := _form(column, dialect)) is not None:
        return f"TRY_CAST(TRY_STRPTIME({text}, {literal(form)}) AS {_plain_type(column)})"
    return f"TRY_CAST({text} AS {_plain_type(column)})"


def _of_column(column: Column, is_key: bool, dialect: Format) -> Iterator[Check]:
    text = quoted(column.lake_name)
    if is_key or not column.nullable:
        yield Check("required", column.name, f"{text} IS NOT NULL")
    for rule, sql, expected in _on_text(column, dialect):
        spared = f" OR {text} IN ({', '.join(map(literal, column.sentinels))})" if column.sentinels else ""
        short = (text, column.length) if rule == "length" and column.length is not None else None
        yield Check(rule, column.name, f"{sql}{spared}", expected, short)


def _on_text(column: Column, dialect: Format) -> Iterator[tuple[str, str, str]]:
    text, value = quoted(column.lake_name), _typed_name(column)
    if (form := _type_check(column, dialect)) is not None:
        yield "type", form, _type_words(column, dialect)
    if column.length is not None:
        yield "length", f"length({text}) <= {column.length}", str(column.length)
    if column.codes is not None:
        yield "in_list", f"{text} IN ({', '.join(map(literal, column.codes))})", ""
    if column.minimum is not None or column.maximum is not None:
        yield "range", _range_check(column, value), _range_words(column)
    if column.pattern is not None:
        yield "pattern", f"regexp_full_match({text}, {literal(column.pattern)})", column.pattern


def _type_check(column: Column, dialect: Format) -> str | None:
    """What makes a text one of the type, exactly: the engine's own casts round, trim and guess."""
    text, value = quoted(column.lake_name), _typed_name(column)
    point = "." if dialect.kind == "parquet" else re.escape(dialect.decimal)
    match column.kind:
        case "string":
            return None
        case "integer":
            return _exact(text, value, "[+-]?[0-9]+", is_plain=True)
        case "decimal":
            scale = int(column.type.rstrip(")").partition(",")[2])
            form = rf"[+-]?([0-9]+({point}[0-9]{{0,{scale}}}0*)?|{point}[0-9]{{1,{max(scale, 1)}}}0*)"
            return _exact(text, value, form, is_plain=point != ",")
        case "float":
            return _exact(text, value, rf"[+-]?([0-9]+{point}?[0-9]*|{point}[0-9]+)([eE][+-]?[0-9]+)?|NaN")
        case "year":
            return _exact(text, value, "[0-9]{4}")
        case "yearmonth":
            return (
                f"{text} IS NULL OR coalesce({value}::VARCHAR = {text} "
                f"AND {value} BETWEEN 100001 AND 299912 AND {value} % 100 BETWEEN 1 AND 12, false)"
            )
        case "boolean":
            return f"lower({text}) IN ('true', 'false', '0', '1')"
        case "uuid":
            # the cast takes braces, and hyphens anywhere or nowhere
            return f"{text} IS NULL OR coalesce({value}::VARCHAR = lower({text}), false)"
        case _:
            if column.kind == "date" and dialect.kind == "parquet":
                # a cast to a date would cut the hour off in silence
                return _exact(text, value, r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}([ T]00:00:00(\.0+)?)?")
            exact = _exact_time(text, _form(column, dialect))
            return f"{text} IS NULL OR coalesce({value} >= {_SHORTEST_YEAR} AND {exact}, false)"


def _exact(text: str, value: str, form: str, *, is_plain: bool = False) -> str:
    """A number written as such. Most `is_plain` ones read back as they were written: cheaper to see than a pattern."""
    is_sure = f"{value}::VARCHAR IS NOT DISTINCT FROM {text}" if is_plain else f"{text} IS NULL"
    return f"CASE WHEN {is_sure} THEN true ELSE {value} IS NOT NULL AND regexp_full_match({text}, {literal(form)}) END"


def _exact_time(text: str, form: str | None) -> str:
    """As many characters as the form has, none of them white space in a digit's place, which strptime skips."""
    # white space sorts before "!"
    asked = [f"{text} >= '!'", f"{text}[-1] >= '!'"]
    if form and (width := _width(form)):
        asked.append(f"strlen({text}) = {width}")
    if form and " " in form:
        asked.append(rf"NOT regexp_matches({text}, '[^\S ]|  ')")
    return " AND ".join(asked)


def _range_check(column: Column, value: str) -> str:
    bounds = [f"{value} >= {column.minimum!r}"] if column.minimum is not None else []
    bounds += [f"{value} <= {column.maximum!r}"] if column.maximum is not None else []
    # null for a text that is not of the type: it breaks rule `type`, not this one too
    return " AND ".join(bounds)


def _range_words(column: Column) -> str:
    low = "" if column.minimum is None else f"≥ {column.minimum:g}"
    high = "" if column.maximum is None else f"≤ {column.maximum:g}"
    return ", ".join(bound for bound in (low, high) if bound)


def _type_words(column: Column, dialect: Format) -> str:
    form = _form(column, dialect) if column.kind in {"date", "timestamp"} else None
    comma = column.kind in {"decimal", "float"} and dialect.decimal == "," and dialect.kind == "csv"
    return f"{column.type}{f' {form}' if form else ''}{' (1,5)' if comma else ''}"


def _plain_type(column: Column) -> str:
    """The lake's type of the column were it not pseudonymised."""
    return column.model_copy(update={"identifier_type": None}).duckdb_type


def _form(column: Column, dialect: Format) -> str | None:
    """Strptime form of a date or timestamp; None in Parquet, where they are typed."""
    if dialect.kind == "parquet":
        return None
    return column.format or (dialect.date if column.kind == "date" else dialect.timestamp)


def _width(form: str) -> int | None:
    """Characters of every text of that form, when they are always as many."""
    directives = re.findall(r"%(.)", form)
    if not all(directive in _WIDTHS for directive in directives):
        return None
    return len(re.sub(r"%.", "", form)) + sum(_WIDTHS[directive] for directive in directives)
