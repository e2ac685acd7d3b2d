"""SQL expressions for one value of a described column: over `r` (row), `k` (its random key) and `s` (its subject).

A column may name its generator in `synth:`; which there are is in `core/generators.py`.
"""

from __future__ import annotations

import math
from datetime import date

from hdh_assets.core.column import Column
from hdh_assets.core.column_types import numbers_of
from hdh_assets.core.errors import HubError
from hdh_assets.core.generators import BETWEEN
from hdh_assets.core.sql_text import literal
from hdh_assets.sources.synth.patterns import matching

SUBJECTS = {
    "person": "(SELECT i AS subject, * FROM person)",
    "commune": "(SELECT position - 1 AS subject, * FROM code_communes)",
    "nothing": "(SELECT 0 AS subject)",
}
"""What a row may be about, numbered from 0."""

NAMED = {
    "commune": "s.insee",
    "commune_name": "s.name",
    "commune_department": "CASE WHEN s.insee LIKE '97%' THEN substr(s.insee, 1, 3) ELSE substr(s.insee, 1, 2) END",
    "commune_population": "s.weight::BIGINT * 1000 + pick('population', hash(s.insee), 1000)",
    "home_commune": "s.home_insee",
    "nir": "s.nir",
    "birth_date": "s.birth_date",
    "birth_year": "s.birth_year",
    "sex": "s.sex::VARCHAR",
    "death_date": "s.death_date",
    "first_name": "first_name(s.p, s.sex)",
    "last_name": "last_name(s.p)",
}

IDENTIFYING = frozenset({"commune", "nir"})
"""Generators whose value no two subjects share."""
_FAR, _SHORT = 9e18, 32_767
"""The greatest integer and the greatest year drawn: no more than their types hold."""
_MANY = 1_000_000_000_000
_PSEUDONYM_LENGTH = 17
_UUID = 36
_IDENTIFIERS = {
    "snds_psa": ("s.psa_own", 17),
    "snds_nir": ("s.nir_ano", 17),
    "nir": ("s.nir", 15),
    "ins": ("s.nir", 15),
    "ehr_patient": ("uuid_of('ehr_patient' || s.nir)", _UUID),
}
"""Identifiers the population has, by type, with the length of each."""


def person_value(column: Column) -> str:
    """The identifier of the column's type that the subject has: the same in every dataset that writes it alike.

    Raises `HubError` when the column cannot hold it.
    """
    own = f"'{column.identifier_type}' || s.nir"
    if column.identifier_type in _IDENTIFIERS:
        value, length = _IDENTIFIERS[column.identifier_type]
        if column.kind not in ("string", "uuid")[: 1 + (length == _UUID)] or (column.length or length) < length:
            raise HubError(
                f"column {column.name}: no {column.type} holds a {column.identifier_type}",
                remedy=f"give it the type string({length})",
            )
        return value
    if column.kind == "uuid":
        return f"uuid_of({own})"
    if column.kind == "integer":
        return f"pick('number', {own}, {_MANY})"
    if column.pattern:
        return matching(column.pattern, f"pick('number', {own}, {_MANY})")
    return f"left(pseudonym({own}), {column.length or _PSEUDONYM_LENGTH})"


def column_value(column: Column, start: date, days: int, number: str | None) -> str:
    """A value the descriptor allows: the one of `number`, an SQL expression that counts from 0, or one by chance.

    Dates fall within `days` of `start`. Raises `HubError` for a type that no value is made of.
    """
    if column.synth:
        return _named(column, start)
    if column.codes:
        codes = [code for code in column.codes if number or code not in column.sentinels] or list(column.codes)
        return f"([{', '.join(map(literal, codes))}])[1 + {number or _pick(column, len(codes))}]"
    if column.pattern:
        return matching(column.pattern, number or _pick(column, _MANY))
    return _by_kind(column, start, days, number)


def _by_kind(column: Column, start: date, days: int, number: str | None) -> str:
    tag = _tag(column)
    match column.kind:
        case "string":
            return _string(column, number)
        case "integer":
            return f"({number} + {math.ceil(least(column))})" if number else _number(column, "BIGINT")
        case "decimal":
            return _number(column, column.duckdb_type)
        case "float":
            return _number(column, "DOUBLE")
        case "date":
            return f"(DATE '{start}' + ({number or _pick(column, days)})::INTEGER)"
        case "timestamp":
            by_chance = f"{_pick(column, days)} * 86400 + pick('seconds', hash(k, {tag}), 86400)"
            return f"(TIMESTAMP '{start}' + to_seconds({number or by_chance}))"
        case "year":
            return str(start.year)
        case "yearmonth":
            return f"'{start:%Y%m}'"
        case "boolean":
            return f"CASE WHEN {number or _pick(column, 2)} = 0 THEN 'true' ELSE 'false' END"
        case "uuid":
            return f"uuid_of({tag} || k)"
        case kind:
            raise HubError(f"column {column.name}: no synthetic value for type {kind}", remedy="name one in `synth:`")


def _named(column: Column, start: date) -> str:
    name = column.synth or ""
    if bounds := BETWEEN.fullmatch(name):
        low, high = map(float, bounds.groups())
        return _number(column.model_copy(update={"minimum": low, "maximum": high}), column.duckdb_type)
    made = (NAMED | {"period_year": str(start.year), "period_start": f"DATE '{start}'"})[name]
    return f"left({made}, {column.length})" if column.length else made


def _number(column: Column, sql_type: str) -> str:
    low = least(column)
    high = column.maximum if column.maximum is not None else low + 100
    most = {"integer": _FAR, "float": math.inf}.get(column.kind, _SHORT)
    if column.kind == "decimal":
        digits, scale = numbers_of(column.type)
        most = min(10.0 ** (digits - scale) - 10.0**-scale, math.nextafter(10.0 ** (digits - scale), 0))
    # the engine takes whole numbers for 32 bits, of which a difference may have more
    low, high = (float(max(min(bound, most), -most)) for bound in (low, high))
    return f"CAST({low} + ({high} - {low}) * unit({_tag(column)}, k) AS {sql_type})"


def least(column: Column) -> float:
    """The least number drawn: the declared minimum, or else 0 where the maximum allows it."""
    return column.minimum if column.minimum is not None else min(0.0, column.maximum or 0.0)


def _string(column: Column, number: str | None) -> str:
    length = min(column.length or 12, 12)
    if number:
        return f"lpad(({number})::VARCHAR, {length}, '0')"
    return f"upper(substr(md5({_tag(column)} || {_pick(column, 50)}), 1, {min(length, 6)}))"


def _pick(column: Column, count: int) -> str:
    return f"pick({_tag(column)}, k, {count})"


def _tag(column: Column) -> str:
    return f"'{column.lake_name}'"
