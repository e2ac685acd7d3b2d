"""The plan of an extract: which columns of which tables, and what becomes of each. Pure: no lake, no key.

Rows are decided in `selection.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.keys import LakeTable
from hdh_assets.extracts.deliverable import undeliverable
from hdh_assets.extracts.omop_rules import ROWS
from hdh_assets.extracts.treatments import DELIVERED_TYPES, Treatment, omop_treatment, source_treatment
from hdh_assets.extracts.ways import deciding_columns
from hdh_assets.governance.permit import Permit

OMOP = "omop"
_AMEND = "amend the dossier (`hdh project amend`)"
Schema = Mapping[str, Sequence[tuple[str, str]]]
"""Columns of each lake table at the release, as (name, DuckDB type), in order, by `schema.table`."""


@dataclass(frozen=True)
class ColumnPlan:
    """One delivered column."""

    name: str
    type: str
    """Its type in the lake."""
    treatment: Treatment

    @property
    def delivered_type(self) -> str:
        """Its type in the extract."""
        return DELIVERED_TYPES.get(self.treatment, self.type)


@dataclass(frozen=True)
class TablePlan:
    """One delivered table."""

    table: LakeTable
    columns: tuple[ColumnPlan, ...]
    withheld: tuple[str, ...] = ()
    """Columns the permit covers by `all` but does not name: potential identifiers."""
    has_communes: bool = True
    """Whether its places are communes, or else one for each department."""

    @property
    def name(self) -> str:
        """`schema.table`."""
        return str(self.table)

    @property
    def file(self) -> str:
        """Its file in the extract's folder."""
        return f"data/{self.name}.parquet"

    @property
    def is_omop(self) -> bool:
        """Whether it is a table of the common data model."""
        return self.table.schema == OMOP


def plan_extract(permit: Permit, datasets: Mapping[str, Dataset], schema: Schema) -> list[TablePlan]:
    """A plan per table of the permit, in name order.

    Raises `RefusedError` when the permit names a table that the hub does not deliver, a table or a column that the
    release does not have, or a table of which the release lacks what decides its rows.
    """
    withheld = undeliverable(datasets)
    if refused := [f"{name}, which {withheld[name]}" for name in permit.table_names if name in withheld]:
        raise RefusedError(f"{permit.id} names {refused[0]}", remedy=_AMEND)
    return [_plan_table(permit, name, datasets, schema) for name in permit.table_names]


def _plan_table(permit: Permit, name: str, datasets: Mapping[str, Dataset], schema: Schema) -> TablePlan:
    domain, _, table = name.partition(".")
    is_deliverable = table in ROWS if domain == OMOP else domain in datasets and table in datasets[domain].by_name
    if not is_deliverable or name not in schema:
        raise RefusedError(
            f"{permit.id} names {name}, which this release cannot deliver",
            remedy=f"{_AMEND}, or choose a later release",
        )
    asked = permit.tables[name]
    found = [(column, kind) for column, kind in schema[name] if not column.startswith("_")]
    if asked != "all" and (missing := sorted(set(asked) - {column for column, _ in found})):
        raise RefusedError(
            f"{permit.id} names columns that {name} does not have: {', '.join(missing)}",
            remedy=_AMEND,
        )
    if domain != OMOP:
        check_decided(datasets[domain], datasets[domain].by_name[table], schema)
    return _plan_columns(permit, LakeTable(domain, table), found, datasets)


def check_decided(dataset: Dataset, table: Table, schema: Schema) -> None:
    """Raise `RefusedError` when the release lacks what decides a table's rows, as one made before it was declared."""
    present = {(name, column) for name, columns in schema.items() for column, _ in columns}
    columns = [(f"{dataset.id}.{name}", column) for name, column in deciding_columns(dataset, table)]
    if missing := [f"{name}.{column}" for name, column in columns if (name, column) not in present]:
        raise RefusedError(
            f"this release has no {missing[0]}, which says whose rows of {dataset.id}.{table.lake_name} are or of when",
            remedy="use a later release, or the descriptor of that time",
        )


def _plan_columns(
    permit: Permit, table: LakeTable, found: Sequence[tuple[str, str]], datasets: Mapping[str, Dataset]
) -> TablePlan:
    asked = permit.tables[str(table)]
    columns, withheld = [], []
    for name, kind in found:
        is_listed = asked != "all" and name in asked
        if asked != "all" and not is_listed:
            continue
        treatment = _treatment(permit, table, name, kind, datasets, is_listed=is_listed)
        if treatment is None:
            withheld.append(name)
        else:
            columns.append(ColumnPlan(name, kind, treatment))
    if not columns:
        raise RefusedError(f"{permit.id} leaves nothing of {table}", remedy="list the columns that are needed")
    return TablePlan(table, tuple(columns), tuple(withheld), permit.precision.residence == "commune")


def _treatment(
    permit: Permit, table: LakeTable, name: str, kind: str, datasets: Mapping[str, Dataset], *, is_listed: bool
) -> Treatment | None:
    if table.schema == OMOP:
        return omop_treatment(table.name, name, kind, permit.precision, is_listed=is_listed)
    dataset = datasets[table.schema]
    described = dataset.by_name[table.name]
    column = described.by_name.get(name)
    if column is None or not column.is_in_lake:  # left in the lake by an earlier version of the descriptor
        return None
    return source_treatment(dataset, described, column, permit.precision, is_listed=is_listed)


def person_columns(plan: TablePlan) -> list[str]:
    """Delivered columns of a delivered table that hold pseudonyms of persons."""
    return [column.name for column in plan.columns if column.treatment is Treatment.person_key]


def event_tables(plans: Sequence[TablePlan]) -> Iterator[str]:
    """CDM event tables among the delivered ones, whose rows others may be attached to."""
    return (plan.table.name for plan in plans if plan.is_omop and ROWS[plan.table.name].kind == "event")
