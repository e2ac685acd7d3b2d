"""What a dossier may ask for, told to who writes one: tables, their columns, and what an extract makes of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hdh_assets.core.column import Role
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import RefusedError
from hdh_assets.extracts import omop_rules
from hdh_assets.extracts.deliverable import ColumnWords, deliverable, table_words
from hdh_assets.extracts.plan import OMOP
from hdh_assets.extracts.treatments import Treatment, omop_treatment, source_treatment
from hdh_assets.governance.dossier import Dossier, Precision, is_coded, no_table

_COARSEST = Precision()
_FINEST = Precision(dates="exact", birth="day", residence="commune")


def askable_tables(datasets: Mapping[str, Dataset]) -> list[dict[str, Any]]:
    """One row per table a dossier may name."""
    rows = []
    for name in sorted(deliverable(datasets)):
        words = table_words(datasets, name)
        rows.append(
            {
                "table": name,
                "columns": len(words.columns),
                "meaning": words.description,
                "meaning_fr": words.description_fr,
            }
        )
    return rows


def askable_columns(datasets: Mapping[str, Dataset], name: str) -> list[dict[str, Any]]:
    """One row per column of that table. Raises `RefusedError` naming those of a name like it when there is none."""
    known = deliverable(datasets)
    table = name.lower()
    if table not in known:
        raise RefusedError(no_table(name, known), remedy="`hdh project tables` lists those it delivers")
    has_persons = omop_rules.PERSON_ID in known[table]
    return [
        _column(datasets, table, column, words, has_persons=has_persons)
        for column, words in table_words(datasets, table).columns.items()
    ]


def nothing_of_all(datasets: Mapping[str, Dataset]) -> frozenset[str]:
    """Tables of which `all` gives nothing: each column is a potential identifier, delivered where it is listed."""
    delivered = [name for name in deliverable(datasets) if not name.startswith(f"{OMOP}.")]
    return frozenset(name for name in delivered if not _some_of_all(datasets, name))


def _some_of_all(datasets: Mapping[str, Dataset], name: str) -> bool:
    columns = table_words(datasets, name).columns.items()
    return any(_treatment(datasets, name, *column, _COARSEST, is_listed=False) is not None for column in columns)


def emptied(datasets: Mapping[str, Dataset], dossier: Dossier) -> dict[str, list[str]]:
    """Columns that a dossier, found answerable, lists and that its own precision empties, by table."""
    found = {}
    for table, asked in dossier.tables.items():
        words = table_words(datasets, table).columns
        blank = [
            column
            for column in (() if asked == "all" else asked)
            if _treatment(datasets, table, column, words[column], dossier.precision, is_listed=True) is Treatment.blank
        ]
        if blank:
            found[table] = blank
    return found


def _column(
    datasets: Mapping[str, Dataset], table: str, column: str, words: ColumnWords, *, has_persons: bool
) -> dict[str, Any]:
    schema, _, name = table.partition(".")
    coarsest = _treatment(datasets, table, column, words, _COARSEST, is_listed=True)
    unlisted = _treatment(datasets, table, column, words, _COARSEST, is_listed=False)
    described = None if schema == OMOP else datasets[schema].by_name[name].by_name[column]
    role = (described.role or Role.payload) if described else _omop_role(name, column)
    return {
        "column": column,
        "type": words.type,
        "role": role.value,
        "meaning": words.description,
        "meaning_fr": words.description_fr,
        "unit": words.unit,
        "codes": words.codes,
        "in_an_extract": coarsest,
        "at_the_finest_precision": _treatment(datasets, table, column, words, _FINEST, is_listed=True),
        "only_if_listed": unlisted != coarsest,
        "says_who_is_meant": schema == OMOP and has_persons and is_coded(column),
    }


def _treatment(
    datasets: Mapping[str, Dataset],
    table: str,
    column: str,
    words: ColumnWords,
    precision: Precision,
    *,
    is_listed: bool,
) -> Treatment | None:
    schema, _, name = table.partition(".")
    if schema == OMOP:
        return omop_treatment(name, column, words.type, precision, is_listed=is_listed)
    described = datasets[schema].by_name[name]
    return source_treatment(datasets[schema], described, described.by_name[column], precision, is_listed=is_listed)


def _omop_role(table: str, column: str) -> Role:
    """What a column of the CDM is, in the words of descriptors."""
    if column in {omop_rules.PERSON_ID, omop_rules.PERSON_TEXT}:
        return Role.person_key
    if column in omop_rules.RECORD_TEXTS or omop_rules.is_record_number(column):
        return Role.record_key
    is_place = table == "location" and column in omop_rules.FINE_RESIDENCE
    is_fine = column in omop_rules.FINE_BIRTH or column in omop_rules.NAMED_ONLY | omop_rules.NEVER
    return Role.quasi_identifier if is_place or is_fine else Role.payload
