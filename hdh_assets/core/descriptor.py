"""What a dataset is: the frozen model of a descriptor file, the only place where a dataset is described.

Here: the model, its cross-field rules, and what can be derived from a descriptor alone. Reading the files is in
`descriptor_files.py`; SQL made from a descriptor belongs to the intake.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from hdh_assets.core.column import Column, Frozen, Identifier, Name, Text
from hdh_assets.core.dialect import Format
from hdh_assets.core.families import FAMILIES
from hdh_assets.core.periods import PERIOD_FORMATS, Cadence, check_period

_SCHEMAS = {"main", "meta", "staging", "omop", "linked", "catalog", "lake", "temp", "system", "memory"}
_SYSTEM_SCHEMAS = {"pg_catalog", "information_schema"}
RESERVED = _SCHEMAS | _SYSTEM_SCHEMAS | {"answer_delivery_without_a_place", "oppositions"}
"""Names no dataset may have: schemas, and jobs beside those that are named after datasets."""


_DATED = {"date", "timestamp", "year", "yearmonth"}


LAST_VERSION = 2_147_483_647
"""As many as the lake's number of a version takes, hence numbers made of a day (20240131) too."""


class Mode(StrEnum):
    """What a new period does to those before it."""

    append = "append"
    """Each period adds."""
    snapshot = "snapshot"
    """The latest period replaces all others, in whatever order they arrive."""
    cumulative = "cumulative"
    """Within a year, the latest period replaces the earlier ones of that year."""


class ForeignKey(Frozen):
    """Columns that must be found in another table of the same delivery."""

    columns: tuple[Name, ...] = Field(min_length=1)
    table: Name
    to_columns: tuple[Name, ...] = ()
    """Names there; the same names when empty."""
    on_orphan: Literal["count", "reject", "refuse"] = "count"

    @property
    def target_columns(self) -> tuple[str, ...]:
        """The referenced columns, in order."""
        return self.to_columns or self.columns


class Table(Frozen):
    """One delivered table: grain, columns and keys."""

    name: Name
    title: Text
    description: Text
    columns: tuple[Column, ...] = Field(min_length=1, max_length=800)
    """At most as many as the engine checks at once within the hub's memory."""
    primary_key: tuple[Name, ...] = ()
    on_duplicate_key: Literal["count", "reject", "refuse"] = "refuse"
    unique_across_periods: bool = False
    """The primary key designates one row in all periods together. Rows that another period holds as well are counted
    and stay: which of the two periods is wrong, only the producer knows."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    optional: bool = False
    """A delivery may lack the table."""
    event_date: Name | None = None
    """The column that says when the fact happened, for the period covered and what an extract gives of it."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_names()
        for column in self.columns:
            self._check_order(column)
        self._check_lake()
        return self

    def _check_names(self) -> None:
        names = [column.lake_name for column in self.columns]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"columns declared twice: {', '.join(doubled)}")
        spellings = [s.lower() for c in self.columns for s in (c.name, *c.aliases)]
        if doubled := sorted({s for s in spellings if spellings.count(s) > 1}):
            raise ValueError(f"names that could mean two columns: {', '.join(doubled)}")
        used = [*self._keys_and_date, *(name for column in self.columns for name in column.identifying_when or ())]
        used += [column.told_apart_by for column in self.columns if column.told_apart_by]
        used += [column.not_before for column in self.columns if column.not_before]
        if unknown := sorted({name for name in used if name.lower() not in names}):
            raise ValueError(
                "keys, event_date, identifying_when, told_apart_by or not_before name unknown columns: "
                + ", ".join(unknown)
            )

    def _check_lake(self) -> None:
        """What keys, dates and oppositions go by must be in the lake."""
        if self.event_date and self.by_name[self.event_date.lower()].kind not in _DATED:
            raise ValueError(f"event_date must be a date, a timestamp, a year or a yearmonth: {self.event_date}")
        if hidden := sorted({name for name in self._keys_and_date if not self.by_name[name.lower()].is_in_lake}):
            raise ValueError(
                f"keys or event_date name direct identifiers, which only the vault holds: {', '.join(hidden)}"
            )
        key = [self.by_name[name.lower()] for name in self.primary_key]
        if empty := sorted({column.name for column in key if column.optional or column.is_emptied}):
            raise ValueError(f"the key would be empty where it is lacking or not for the lake: {', '.join(empty)}")
        ranks = [self.by_name[column.told_apart_by.lower()] for column in self.columns if column.told_apart_by]
        if altered := sorted({rank.name for rank in ranks if rank.is_pseudonymised or not rank.is_in_lake}):
            raise ValueError(f"told_apart_by names columns that the lake does not hold as given: {', '.join(altered)}")
        tellers = [self.by_name[name.lower()] for column in self.columns for name in column.identifying_when or ()]
        if lacking := sorted({teller.name for teller in tellers if teller.optional}):
            raise ValueError(f"identifying_when names columns that a delivery may lack: {', '.join(lacking)}")
        if not self.lake_columns:
            raise ValueError("every column is a direct identifier: the lake would hold nothing of the table")

    @property
    def _keys_and_date(self) -> list[str]:
        keys = [*self.primary_key, *(name for key in self.foreign_keys for name in key.columns)]
        return [*keys, self.event_date] if self.event_date else keys

    def _check_order(self, column: Column) -> None:
        passed = [column.lake_name]
        while earlier := self.by_name[passed[-1]].not_before:
            if earlier.lower() in passed:
                raise ValueError(f"not_before goes round in a circle: {column.name}")
            passed.append(earlier.lower())
        kinds = {self.by_name[name].kind for name in passed}
        if len(passed) > 1 and (len(kinds) > 1 or not kinds <= _DATED):
            raise ValueError(f"not_before is for two columns of one kind of date: {column.name}")

    @property
    def lake_name(self) -> str:
        """The producer's name in lower case."""
        return self.name.lower()

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by lower-case name."""
        return {column.lake_name: column for column in self.columns}

    @property
    def lake_columns(self) -> tuple[Column, ...]:
        """The columns the lake holds, in declared order."""
        return tuple(column for column in self.columns if column.is_in_lake)

    @property
    def person_keys(self) -> tuple[Column, ...]:
        """Columns that designate a person."""
        return tuple(column for column in self.columns if column.is_person_key)

    @property
    def event_column(self) -> Column | None:
        """The column that dates a row's event; a table of persons (its key designates one) has no event of its own."""
        keys = {column.lake_name for column in self.person_keys}
        if not self.event_date or keys & {name.lower() for name in self.primary_key}:
            return None
        return self.by_name[self.event_date.lower()]


_OWNER = r"^(team:[a-z][a-z0-9_-]*|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,7})\z"
"""A team, or an address that Dagster takes for one: it loads no asset of any dataset otherwise."""


class Party(Frozen):
    """Who delivers or answers for a dataset."""

    id: Identifier
    name: str
    contact: str


class Thresholds(Frozen):
    """When rejects become a refusal."""

    max_reject_ratio: float = Field(default=0.01, ge=0, le=1)
    """Greatest share of rejected rows in a table; above it the delivery is refused."""


class Synth(Frozen):
    """How synthetic deliveries are made."""

    generator: str = "generic"
    """Name of a registered generator; `generic` derives everything from the descriptor."""
    rows_per_person: float = Field(default=10, gt=0)


class Dataset(Frozen):
    """One entry of the catalogue: one producer, one or more tables, one descriptor file."""

    id: Identifier
    version: int = Field(ge=1, le=LAST_VERSION)
    title: Text
    description: Text
    producer: Party
    owner: Annotated[str, StringConstraints(pattern=_OWNER)]
    family: str
    maturity: Literal["launch", "selection", "pilot"]
    legal_basis: Text
    sensitivity: Literal["nominative", "pseudonymised", "open"]
    cadence: Cadence
    first_period: str
    mode: Mode
    history: Text
    """What is kept of earlier periods and versions."""
    complete_after: int | None = Field(default=None, ge=1)
    """Later periods that must be loaded before what happened in a period is complete; until then it is provisional.
    None when a period is final as it comes."""
    format: Format = Format()
    charter_version: str
    economic_terms: Text
    thresholds: Thresholds = Thresholds()
    synth: Synth = Synth()
    tables: tuple[Table, ...] = Field(min_length=1)

    @field_validator("id")
    @classmethod
    def _free(cls, value: str) -> str:
        if value in RESERVED:
            raise ValueError("is a name of the hub's own; choose another")
        return value

    @field_validator("family")
    @classmethod
    def _known_family(cls, value: str) -> str:
        if value not in FAMILIES:
            raise ValueError(f"must be one of {', '.join(FAMILIES)}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [table.lake_name for table in self.tables]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"tables declared twice: {', '.join(doubled)}")
        for table in self.tables:
            for key in table.foreign_keys:
                self._check_foreign_key(table, key)
            self._check_dates(table)
            if table.unique_across_periods and (self.mode is not Mode.append or not table.primary_key):
                raise ValueError(f"{table.name}: unique_across_periods is for a primary_key in mode append")
        check_period(self.first_period, self.cadence)
        return self

    def _check_dates(self, table: Table) -> None:
        """A date written with the delimiter needs quotes around it."""
        if self.format.quote is not None or self.format.kind != "csv":
            return
        forms = {"date": self.format.date, "timestamp": self.format.timestamp}
        for column in table.columns:
            form = column.format or forms.get(column.kind, "")
            if self.format.delimiter in form:
                raise ValueError(
                    f"{table.name}.{column.name}: the delimiter is part of {form}, and there are no quotes"
                )

    def _check_foreign_key(self, table: Table, key: ForeignKey) -> None:
        target = next((t for t in self.tables if t.lake_name == key.table.lower()), None)
        if target is None:
            raise ValueError(f"{table.name}: foreign key to unknown table {key.table}")
        if len(key.columns) != len(key.target_columns):
            raise ValueError(f"{table.name}: foreign key to {key.table} pairs columns of different number")
        if key.on_orphan == "reject" and self._leads(target, table):
            raise ValueError(
                f"{table.name}: a foreign key that leads back to its own table cannot reject orphans, since each may "
                "make others: count them, or refuse"
            )
        in_lake = {column.lake_name for column in target.lake_columns}
        if missing := [c for c in key.target_columns if c.lower() not in in_lake]:
            raise ValueError(f"{table.name}: foreign key to unknown columns {key.table}.{', '.join(missing)}")
        for here, there in zip(key.columns, key.target_columns, strict=True):
            types = {table.by_name[here.lower()].duckdb_type, target.by_name[there.lower()].duckdb_type}
            if len(types) > 1:
                raise ValueError(f"{table.name}.{here} and {key.table}.{there} are of types that never match")

    def _leads(self, start: Table, end: Table) -> bool:
        """Whether foreign keys lead from the one table to the other, or they are the same."""
        reached, ways = {start.lake_name}, [start]
        for table in ways:
            for name in {key.table.lower() for key in table.foreign_keys} & self.by_name.keys() - reached:
                reached.add(name)
                ways.append(self.by_name[name])
        return end.lake_name in reached

    @property
    def period_format(self) -> str:
        """Strptime format of a period of this dataset."""
        return PERIOD_FORMATS[self.cadence]

    @cached_property
    def by_name(self) -> dict[str, Table]:
        """Tables by lower-case name."""
        return {table.lake_name: table for table in self.tables}

    @property
    def has_persons(self) -> bool:
        """Whether any table designates persons."""
        return any(table.person_keys for table in self.tables)
