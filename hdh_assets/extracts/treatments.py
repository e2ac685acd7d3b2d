"""What becomes of a column on its way into an extract: pure decisions from the permit, the CDM's rules, a descriptor.

The SQL of each treatment is in `selection.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum, unique

from hdh_assets.core.column import Column, Role
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.extracts import omop_rules
from hdh_assets.governance.dossier import Precision


@unique
class Treatment(StrEnum):
    """The value tells the reader of the dictionary what was done."""

    kept = "as in the hub"
    person_number = "replaced by the project's number of the person"
    person_pseudonym = "replaced by the project's pseudonym of the person"
    person_key = "replaced by the project's pseudonym (same person, same pseudonym)"
    record_number = "replaced by a number of the project's own (joins within the extract hold)"
    record_place = "replaced by a number of the project's own, one a department (joins within the extract hold)"
    record_uuid = "replaced by another UUID, the project's own (joins within the extract hold)"
    record_text = "replaced by a key of the project's own (joins within the extract hold)"
    record_date = "date of the record's key, replaced by a number of the project's own (joins within the extract hold)"
    day = "cut to the day"
    month = "cut to the first day of the month"
    clipped_start = "not before the permit's period"
    clipped_end = "not after the permit's period"
    clipped_start_month = "not before the permit's period, cut to the first day of the month"
    clipped_end_month = "not after the permit's period, cut to the first day of the month"
    within = "emptied outside the permit's period"
    within_day = "emptied outside the permit's period, cut to the day"
    within_month = "emptied outside the permit's period, cut to the first day of the month"
    code = "emptied where it is a number of the producer's record; codes are as in the hub"
    blank = "emptied: finer than the permit allows, or not named by it"


DELIVERED_TYPES: dict[Treatment, str] = {
    Treatment.person_pseudonym: "VARCHAR",
    Treatment.person_key: "UUID",
    Treatment.record_number: "BIGINT",
    Treatment.record_place: "BIGINT",
    Treatment.record_date: "BIGINT",
    Treatment.record_uuid: "UUID",
    Treatment.record_text: "UUID",
}
"""Types in the extract, where a treatment changes them."""

_TEMPORAL = ("DATE", "TIMESTAMP")
_TELLING = {"year", "yearmonth", "boolean"}
"""Kinds of which no value numbers a record."""

_CUT_TO_DAY = {Treatment.kept: Treatment.day, Treatment.within: Treatment.within_day}
_CUT_TO_MONTH = {
    Treatment.kept: Treatment.month,
    Treatment.within: Treatment.within_month,
    Treatment.clipped_start: Treatment.clipped_start_month,
    Treatment.clipped_end: Treatment.clipped_end_month,
}
"""What a treatment of days becomes under a permit for days without times, and for months."""


def omop_treatment(table: str, column: str, duckdb_type: str, precision: Precision, *, is_listed: bool) -> Treatment:
    """What becomes of a CDM column. `is_listed`: the permit names the column itself."""
    if column == omop_rules.PERSON_ID:
        return Treatment.person_number
    if column == omop_rules.PERSON_TEXT:
        return Treatment.person_pseudonym
    if column in omop_rules.TIMES and precision.dates != "exact":
        return Treatment.blank
    if _is_too_fine(table, column, precision) or (column in omop_rules.NAMED_ONLY and not is_listed):
        return Treatment.blank
    if column in omop_rules.RECORD_TEXTS:
        return Treatment.record_text
    if column in omop_rules.CODES_OR_NUMBERS:
        return Treatment.code
    if column == omop_rules.LOCATION_ID and precision.residence == "department":
        return Treatment.record_place
    if omop_rules.is_record_number(column):
        return Treatment.record_text if duckdb_type == "VARCHAR" else Treatment.record_number
    if duckdb_type.startswith(_TEMPORAL):
        treatment = _of_span(table, column)
        is_birth = column in omop_rules.FINE_BIRTH
        return treatment if is_birth else _cut(treatment, precision, has_time=duckdb_type.startswith("TIMESTAMP"))
    return Treatment.kept


def _is_too_fine(table: str, column: str, precision: Precision) -> bool:
    if needed := omop_rules.FINE_BIRTH.get(column):
        return _is_birth_too_fine(needed, precision)
    if column in omop_rules.NEVER:
        return True
    return table == "location" and column in omop_rules.FINE_RESIDENCE and precision.residence == "department"


def _is_birth_too_fine(needed: str, precision: Precision) -> bool:
    order = omop_rules.BIRTH_PRECISION
    return order.index(precision.birth) < order.index(needed)


def _of_span(table: str, column: str) -> Treatment:
    """What becomes of a day of the CDM before it is cut: the ends of a span do not leave the period."""
    rows = omop_rules.ROWS[table]
    if rows.kind != "clipped":
        return Treatment.kept
    return {rows.start: Treatment.clipped_start, rows.end: Treatment.clipped_end}.get(column, Treatment.kept)


def _cut(treatment: Treatment, precision: Precision, *, has_time: bool) -> Treatment:
    """The treatment of a day or an instant, made as coarse as the permit's dates."""
    match precision.dates:
        case "exact":
            return treatment
        case "day":
            return _CUT_TO_DAY.get(treatment, treatment) if has_time else treatment
        case "month":
            return _CUT_TO_MONTH[treatment]


def source_treatment(
    dataset: Dataset, table: Table, column: Column, precision: Precision, *, is_listed: bool
) -> Treatment | None:
    """What becomes of a delivered column; None when it is withheld: a potential identifier the permit does not name."""
    if dataset.is_open:
        return Treatment.kept
    if column.is_pseudonymised:
        is_person = column.identifier_type in dataset.person_types
        return Treatment.person_key if is_person else Treatment.record_uuid
    if is_record_key(dataset, table, column):
        return _record(column, precision)
    if column.role is Role.quasi_identifier and not is_listed:
        return None
    if _tells_too_much(column, precision):
        return Treatment.blank
    treatment = Treatment.within if column.tells in {"death", "activity"} else Treatment.kept
    is_birth = column.tells in {"birth_month", "birth_day"}
    if is_birth or column.kind not in {"date", "timestamp"}:
        return treatment
    return _cut(treatment, precision, has_time=column.kind == "timestamp")


def _tells_too_much(column: Column, precision: Precision) -> bool:
    match column.tells:
        case "birth_month" | "birth_day":
            return _is_birth_too_fine(column.tells.removeprefix("birth_"), precision)
        case "commune":
            return precision.residence == "department"
        case _:
            return False


def _record(column: Column, precision: Precision) -> Treatment:
    match column.kind:
        case "date" | "timestamp":
            is_whole = _cut(Treatment.kept, precision, has_time=column.kind == "timestamp") is Treatment.kept
            return Treatment.kept if is_whole else Treatment.record_date
        case "integer":
            return Treatment.record_number
        case "uuid":
            return Treatment.record_uuid
        case _:
            return Treatment.record_text


def is_record_key(
    dataset: Dataset, table: Table, column: Column, above: frozenset[tuple[str, str]] = frozenset()
) -> bool:
    """Whether a column numbers a record: declared so, or part of a key without anything saying that it is a value.

    A foreign key follows the column it points to, so that both sides are treated alike, and of several any that numbers
    a record; one of those `above` is no answer, where keys point at each other.
    """
    if column.role is Role.record_key or column.kind == "uuid":
        return True
    passed = above | {(table.lake_name, column.lake_name)}
    if targets := [target for target in _pointed_to(table, column) if target not in passed]:
        parents = [(dataset.by_name[name], target) for name, target in targets]
        return any(is_record_key(dataset, parent, parent.by_name[target], passed) for parent, target in parents)
    is_in_key = column.lake_name in {name.lower() for name in table.primary_key}
    return is_in_key and not _is_value(dataset, table, column)


def _pointed_to(table: Table, column: Column) -> Iterator[tuple[str, str]]:
    """Tables, with their columns, that foreign keys lead to from this column."""
    for key in table.foreign_keys:
        for name, target in zip(key.columns, key.target_columns, strict=True):
            if name.lower() == column.lake_name:
                yield key.table.lower(), target.lower()


def _is_value(dataset: Dataset, table: Table, column: Column) -> bool:
    """Whether a part of a key tells something by itself: it is said to, it is coded, or it dates the row's event."""
    if column.is_said_to_be_a_value:
        return True
    if column.kind in {"date", "timestamp"}:
        is_event = column.lake_name == (table.event_date or "").lower()
        return is_event and not _is_pointed_at(dataset, table, column)
    return column.codes is not None or column.code_list is not None or column.kind in _TELLING


def _is_pointed_at(dataset: Dataset, table: Table, column: Column) -> bool:
    """Whether other rows are joined by it: cut to the month, a date would join them to too many."""
    keys = (key for other in dataset.tables for key in other.foreign_keys if key.table.lower() == table.lake_name)
    return any(column.lake_name == target.lower() for key in keys for target in key.target_columns)
