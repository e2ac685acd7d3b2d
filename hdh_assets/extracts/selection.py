"""The SQL of an extract: rows of the permit, columns under their treatment. Text only; nothing is run here.

Rows come in the order of the project's own numbers: the files are then the same bytes whatever the lake's files and the
number of threads, and no two projects share an order by which their rows could be laid side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Self

from hdh_assets.core.descriptor import Dataset, Mode, Table
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.keys import LakeTable
from hdh_assets.core.sql_text import first_filled, quoted
from hdh_assets.extracts.omop_rules import EVENTS, LONGEST_CODE, PERSON_ID, ROWS
from hdh_assets.extracts.plan import ColumnPlan, TablePlan, person_columns
from hdh_assets.extracts.treatments import Treatment
from hdh_assets.extracts.ways import NO_WAY, is_about_nobody, way_to_persons
from hdh_assets.governance.dossier import Period

_KEYED = {
    Treatment.record_number,
    Treatment.record_place,
    Treatment.record_date,
    Treatment.record_uuid,
    Treatment.record_text,
}
_PERSONS = {Treatment.person_number, Treatment.person_pseudonym, Treatment.person_key}
_NUMBERED = {Treatment.record_number, Treatment.record_place, Treatment.record_date}
_CUTS = {
    Treatment.day: "day",
    Treatment.within_day: "day",
    Treatment.month: "month",
    Treatment.clipped_start_month: "month",
    Treatment.clipped_end_month: "month",
    Treatment.within_month: "month",
}
"""The unit to which a treatment cuts."""
When = Callable[[Table], str]
"""Condition on the rows `t` of a delivered table; empty when all are wanted."""
_EMPTY_STAYS = {Treatment.kept, Treatment.code, Treatment.day, Treatment.month, *_KEYED}
"""Treatments that make nothing of nothing: a span, when cut to the permit's period, would get a bound from it."""


@dataclass(frozen=True)
class Selection:
    """One table's queries: `rows` gives the permitted rows with the hub's record keys, `ordered` what is delivered.

    `columns` are those of `rows`: the delivered ones but for `constants` (SQL by column), added to ordered rows; then
    come those of `origin`, which are the hub's own. `numbers` and `texts` are the positions, among `columns`, of the
    keys to replace in between: 64-bit numbers and 16-byte blocks.
    """

    source: str
    expressions: tuple[str, ...]
    columns: tuple[ColumnPlan, ...]
    order: tuple[str, ...]
    delivered: tuple[str, ...]
    constants: Mapping[str, str]
    origin: tuple[str, ...] = ()

    def with_origin(self) -> Self:
        """The same rows, each with the delivery and the producer's file it came in; of a delivered table."""
        return replace(self, origin=("_delivery", "_file"))

    @property
    def rows(self) -> str:
        """The query that reads the lake."""
        named = [f'{sql} AS "{column.name}"' for sql, column in zip(self.expressions, self.columns, strict=True)]
        named += [f't."{name}"' for name in self.origin]
        return f"SELECT {', '.join(named)} FROM ({self.source}) AS t"

    @property
    def numbers(self) -> list[int]:
        """Positions of the keys that are numbers."""
        return [n for n, column in enumerate(self.columns) if column.treatment in _NUMBERED]

    @property
    def texts(self) -> list[int]:
        """Positions of the keys that are blocks."""
        return [n for n, column in enumerate(self.columns) if column.treatment in _KEYED - _NUMBERED]

    @property
    def has_keys(self) -> bool:
        """Whether any record key is to be replaced."""
        return any(column.treatment in _KEYED for column in self.columns)

    def ordered(self, source: str) -> str:
        """The rows of `source`, whose keys are the project's own, as they are delivered."""
        order = ", ".join(f'"{name}"' for name in self.order)
        return self._shown(f"({self._typed(source)} ORDER BY {order})")

    def unordered(self, source: str) -> str:
        """The same rows in any order, with their `origin`."""
        return self._shown(f"({self._typed(source)})")

    def _shown(self, rows: str) -> str:
        """Every delivered column, then those of `origin`."""
        columns = [f'{self.constants.get(name, quoted(name))} AS "{name}"' for name in self.delivered]
        return f"SELECT {', '.join([*columns, *self.origin])} FROM {rows}"

    def _typed(self, source: str) -> str:
        # keys come back as blocks of bytes, and other UUIDs as text
        columns = [f'"{c.name}"{"::UUID" if c.delivered_type == "UUID" else ""} AS "{c.name}"' for c in self.columns]
        return f"SELECT {', '.join([*columns, *self.origin])} FROM {source}"


def select_table(
    plan: TablePlan,
    period: Period,
    datasets: Mapping[str, Dataset],
    event_tables: Sequence[str],
    constants: Mapping[str, int | None],
) -> Selection:
    """The queries of a table's rows in the extract. Raises `RefusedError` when they cannot be limited to persons.

    `constants`: columns that hold one value in the whole of the lake's table; they need not be sorted with its rows.
    """
    rows = _omop_rows(plan, period, event_tables) if plan.is_omop else _source_rows(plan, period, datasets)
    joined = f"SELECT t.*{_joined(plan)} {rows}"
    fixed = _constants(plan, constants)
    carried = tuple(c for c in plan.columns if c.name not in fixed) or plan.columns[:1]
    names = {column.name for column in carried}
    order = [column.name for column in _sort_columns(plan, datasets) if column.name in names]
    return Selection(
        joined,
        tuple(_expression(column, period) for column in carried),
        carried,
        tuple(order) or tuple(names),
        tuple(column.name for column in plan.columns),
        {name: value for name, value in fixed.items() if name not in names},
    )


def _constants(plan: TablePlan, constants: Mapping[str, int | None]) -> dict[str, str]:
    """SQL of the delivered columns whose value is known without looking at a row."""
    found = {}
    for column in plan.columns:
        value = constants.get(column.name, "unknown")
        is_empty = column.treatment is Treatment.blank or (value is None and column.treatment in _EMPTY_STAYS)
        if is_empty:
            found[column.name] = f"NULL::{column.delivered_type}"
        elif isinstance(value, int) and column.treatment is Treatment.kept:
            found[column.name] = f"({value})::{column.delivered_type}"
    return found


def _sort_columns(plan: TablePlan, datasets: Mapping[str, Dataset]) -> list[ColumnPlan]:
    """Columns to sort by: persons, then record keys, then all others unless the keys already tell every row apart.

    Where the primary key is among the record keys, other persons come with the others.
    """
    persons = [column for column in plan.columns if column.treatment in _PERSONS]
    records = [column for column in plan.columns if column.treatment in _KEYED]
    if plan.is_omop and (own := _own_id(plan)):
        return [*persons[:1], own]
    first = [*persons, *records]
    if not plan.is_omop and _has_whole_key(plan, datasets):
        first = [*persons[:1], *records]
        if _is_key_unique(plan, datasets):
            return first
    return [*first, *(column for column in plan.columns if column not in first)]


def _has_whole_key(plan: TablePlan, datasets: Mapping[str, Dataset]) -> bool:
    table = datasets[plan.table.schema].by_name[plan.table.name]
    replaced = {column.name for column in plan.columns if column.treatment in _KEYED}
    return bool(table.primary_key) and {name.lower() for name in table.primary_key} <= replaced


def _is_key_unique(plan: TablePlan, datasets: Mapping[str, Dataset]) -> bool:
    """Whether the primary key tells all rows of the lake apart: those of one delivery, where intake let none repeat."""
    dataset = datasets[plan.table.schema]
    return dataset.mode is Mode.snapshot and dataset.by_name[plan.table.name].on_duplicate_key != "count"


def _own_id(plan: TablePlan) -> ColumnPlan | None:
    """The CDM table's own, unique, replaced identifier; None when it is not delivered."""
    own = f"{plan.table.name}_id"
    return next((column for column in plan.columns if column.name == own and column.treatment in _KEYED), None)


def _expression(column: ColumnPlan, period: Period) -> str:
    """A column as it leaves the engine: as delivered, but for a record key, which is replaced on its way back."""
    match column.treatment:
        case Treatment.kept:
            return f't."{column.name}"'
        case Treatment.blank:
            return f"NULL::{column.type}"
        case Treatment.code:
            return f'CASE WHEN length(t."{column.name}") <= {LONGEST_CODE} THEN t."{column.name}" END'
        case Treatment.person_number:
            return "cohort_number"
        case Treatment.person_pseudonym:
            return "cohort_pseudonym::VARCHAR"
        case Treatment.person_key:
            return f'"project {column.name}"'
        case treatment if treatment in _KEYED:
            return _key_expression(column)
        case treatment:
            day = _day_expression(column, period)
            unit = _CUTS.get(treatment)
            return f"date_trunc('{unit}', {day})::{column.type}" if unit else day


def _day_expression(column: ColumnPlan, period: Period) -> str:
    """A date as far as it lies within the permit's period."""
    name = f't."{column.name}"'
    match column.treatment:
        case Treatment.clipped_start | Treatment.clipped_start_month:
            return f"greatest({name}, '{period.first}'::{column.type})"
        case Treatment.clipped_end | Treatment.clipped_end_month:
            return f"least({name}, '{period.last}'::{column.type})"
        case Treatment.within | Treatment.within_day | Treatment.within_month:
            return f"CASE WHEN {_is_within(column, period)} THEN {name} END"
        case _:
            return name


def _is_within(column: ColumnPlan, period: Period) -> str:
    """Condition on the day a column holds, or on the whole of the month (AAAAMM) or of the year, where it holds one.

    A month that begins within the period and ends after it would tell of a death the days of which are emptied.
    """
    name = f't."{column.name}"'
    first, after = period.first, period.last + timedelta(days=1)
    match column.type:
        case "VARCHAR":
            return f"{name} >= '{_next_month(first - timedelta(days=1)):%Y%m}' AND {name} < '{after:%Y%m}'"
        case "SMALLINT":
            return f"{name} > {(first - timedelta(days=1)).year} AND {name} < {after.year}"
        case _:
            return f"{name}::DATE BETWEEN '{period.first}' AND '{period.last}'"


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _key_expression(column: ColumnPlan) -> str:
    """A record key as it leaves the engine to be replaced: a 64-bit number or a block of 16 bytes."""
    name = f't."{column.name}"'
    match column.treatment:
        case Treatment.record_place:
            return f"(SELECT same FROM place WHERE place.location_id = {name})::BIGINT"
        case Treatment.record_date if column.type.startswith("TIMESTAMP"):
            return f"epoch_us({name})"
        case Treatment.record_date:
            return f"datediff('day', DATE '1970-01-01', {name})::BIGINT"
        case Treatment.record_uuid:
            return f"{name}::BLOB"
        case Treatment.record_text:
            return f"unhex(left(sha256({name}::VARCHAR), 32))"
        case _:
            return f"{name}::BIGINT"


def _joined(plan: TablePlan) -> str:
    """Columns that the joins bring beside the table's own."""
    if not plan.is_omop:
        return "".join(f', p{n}.project AS "project {column}"' for n, column in enumerate(person_columns(plan)))
    has_person = ROWS[plan.table.name].kind in {"person", "event", "clipped", "within"}
    return ", cohort.number AS cohort_number, cohort.pseudonym AS cohort_pseudonym" if has_person else ""


def _omop_rows(plan: TablePlan, period: Period, event_tables: Sequence[str]) -> str:
    rows = ROWS[plan.table.name]
    source = f"FROM {plan.table.sql} AS t"
    of_cohort = f"{source} JOIN cohort ON t.{PERSON_ID} = cohort.{PERSON_ID}"
    match rows.kind:
        case "person" | "event" | "clipped" | "within":
            return f"{of_cohort} WHERE {rows.within(period)}"
        case "attached":
            return f"{source} SEMI JOIN ({_event_ids(event_tables, period)}) AS e ON t.{rows.start} = e.id"
        case "location":
            coarse = f"SELECT same FROM place SEMI JOIN ({_LOCATIONS}) AS l USING (location_id)"
            chosen = _LOCATIONS if plan.has_communes else coarse
            return f"{source} SEMI JOIN ({chosen}) AS l(id) ON t.location_id = l.id"
        case "directory":
            return source


_LOCATIONS = (
    "SELECT location_id FROM lake.omop.person SEMI JOIN cohort USING (person_id) "
    "UNION SELECT location_id FROM lake.omop.care_site"
)


def _event_ids(event_tables: Sequence[str], period: Period) -> str:
    """Identifiers of the delivered events."""
    selects = [
        f"SELECT t.{table}_id AS id FROM lake.omop.{table} AS t SEMI JOIN cohort USING (person_id) "
        f"WHERE {ROWS[table].within(period)}"
        for table in event_tables
        if table in EVENTS
    ]
    return " UNION ALL ".join(selects) or "SELECT NULL::BIGINT AS id WHERE false"


def _source_rows(plan: TablePlan, period: Period, datasets: Mapping[str, Dataset]) -> str:
    dataset = datasets[plan.table.schema]
    table = dataset.by_name[plan.table.name]
    held = _years_of(period) if dataset.is_open else period
    return rows_of(dataset, table, lambda each: within(each, held), person_columns(plan))


def _years_of(period: Period) -> Period:
    """The whole years that a period touches: what is told of nobody, as of communes, holds for a year."""
    first, last = period.first.replace(month=1, day=1), period.last.replace(month=12, day=31)
    return period.model_copy(update={"first": first, "last": last})


def rows_of(dataset: Dataset, table: Table, when: When, persons: Sequence[str] = ()) -> str:
    """FROM and WHERE of a delivered table, under the name `t`: its rows of `person_key`, the condition of `when` kept.

    Where rows have a date of their own, those they are joined to say whose they are, and not when: an act may come
    after the day on which its stay began. Raises `RefusedError` when nothing leads from the table to its persons.
    """
    source = f"FROM {LakeTable(dataset.id, table.lake_name).sql} AS t"
    condition = when(table)
    where = f" WHERE {condition}" if condition else ""
    if table.person_keys:
        owner = first_filled((column.lake_name for column in table.deciding_keys), "t")
        permitted = f"SEMI JOIN person_key AS owner ON {owner} = owner.hub AND owner.is_allowed"
        return f"{source} {permitted}{_person_joins(persons)}{where}"
    if is_about_nobody(dataset, table):
        return f"{source}{where}"
    if (key := way_to_persons(dataset, table)) is None:
        raise RefusedError(
            f"{dataset.id}.{table.lake_name} {NO_WAY}",
            remedy="ask for another table, or declare the foreign key that leads to its persons in the descriptor",
        )
    parent = dataset.by_name[key.table.lower()]
    pairs = list(zip(key.columns, key.target_columns, strict=True))
    chosen = ", ".join(f't."{target.lower()}" AS f{n}' for n, (_, target) in enumerate(pairs))
    on = " AND ".join(f't."{column.lower()}" = q.f{n}' for n, (column, _) in enumerate(pairs))
    rows = rows_of(dataset, parent, when if table.event_column is None else lambda _: "")
    permitted = f"SEMI JOIN (SELECT t._delivery AS d, {chosen} {rows}) AS q ON {on} AND t._delivery = q.d"
    return f"{source} {permitted}{_person_joins(persons)}{where}"


def _person_joins(columns: Sequence[str]) -> str:
    """What the project calls those whom columns of permitted rows designate; nothing where they are not permitted."""
    return "".join(
        f' LEFT JOIN person_key AS p{n} ON t."{column}" = p{n}.hub AND p{n}.is_allowed'
        for n, column in enumerate(columns)
    )


def within(table: Table, period: Period) -> str:
    """Condition that keeps the rows `t` of the period; empty when they have no date."""
    column = table.event_column
    if column is None:
        return ""
    name = f't."{column.lake_name}"'
    match column.kind:
        case "year":
            return f"{name} BETWEEN {period.first.year} AND {period.last.year}"
        case "yearmonth":
            return f"{name} BETWEEN '{period.first:%Y%m}' AND '{period.last:%Y%m}'"
        case _:
            return f"{name}::DATE BETWEEN '{period.first}' AND '{period.last}'"
