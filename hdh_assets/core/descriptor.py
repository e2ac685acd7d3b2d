"""What a dataset is: the frozen model of a descriptor file, the only place where a dataset is described.

Here: the model, its cross-field rules, and what can be derived from a descriptor alone. Reading the files is in
`descriptor_files.py`; SQL made from a descriptor belongs to the intake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from hdh_assets.core.column import Column, Frozen, Identifier, Name, Text, spelled
from hdh_assets.core.column_texts import never_told, unwritable
from hdh_assets.core.column_types import DATED
from hdh_assets.core.dialect import Format
from hdh_assets.core.families import FAMILIES
from hdh_assets.core.parties import Owner, Party, Synth, Thresholds
from hdh_assets.core.periods import PERIOD_FORMATS, Cadence, check_period
from hdh_assets.core.problems import Location, Problems

_SCHEMAS = {"main", "meta", "staging", "omop", "linked", "catalog", "lake", "temp", "system", "memory"}
_SYSTEM_SCHEMAS = {"pg_catalog", "information_schema"}
RESERVED = _SCHEMAS | _SYSTEM_SCHEMAS | {"answer_delivery_without_a_place", "oppositions", "hub"}
"""Names no dataset may have: schemas, jobs beside those that are named after datasets, and the hub's own assets among
those of datasets."""


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
        found = Problems()
        self._check_names(found)
        self._check_lake(found)
        for position, column in enumerate(self.columns):
            with found.at("columns", position, "not_before"):
                self._check_order(column)
            self._check_identifying(found, position, column)
        found.end()
        return self

    def _check_names(self, found: Problems) -> None:
        names, spellings = set[str](), {column.lake_name for column in self.columns}
        for position, column in enumerate(self.columns):
            if column.lake_name in names:
                found.add(f"columns declared twice: {column.lake_name}", "columns", position, "name")
            names.add(column.lake_name)
            for alias in column.aliases:
                if spelled(alias) in spellings:
                    found.add(f"names that could mean two columns: {spelled(alias)}", "columns", position, "aliases")
                spellings.add(spelled(alias))
        for name, place in (*self._keys_and_date, *self._named_by_columns):
            if name.lower() not in names:
                near = get_close_matches(name.lower(), names, n=1)
                hint = f"; {self.by_name[near[0]].name} is the nearest" if near else ""
                found.add(f"the table has no column {name}{hint}", *place)

    def _check_lake(self, found: Problems) -> None:
        """What keys, dates and oppositions go by must be in the lake."""
        date = self._column(self.event_date)
        if date and date.kind not in DATED:
            found.add(f"event_date must be a date, a timestamp, a year or a yearmonth: {date.name}", "event_date")
        for name, place in self._keys_and_date:
            if (column := self._column(name)) and not column.is_in_lake:
                found.add(f"a key or event_date is no direct identifier, which only the vault holds: {name}", *place)
        for position, name in enumerate(self.primary_key):
            if (column := self._column(name)) and (column.optional or column.is_emptied):
                reason = f"the key would be empty where it is lacking or not for the lake: {name}"
                found.add(reason, "primary_key", position)
        if not self.lake_columns:
            found.add("every column is a direct identifier: the lake would hold nothing of the table", "columns")

    def _check_identifying(self, found: Problems, position: int, column: Column) -> None:
        """What decides whose an identifier is, or whether a value is one, is there and can be what is said of it."""
        if rank := self._column(column.told_apart_by):
            place = ("columns", position, "told_apart_by")
            if rank.is_pseudonymised or not rank.is_in_lake:
                found.add(f"told_apart_by names a column that the lake does not hold as given: {rank.name}", *place)
            if rank.optional:
                reason = "without it the same person would get another pseudonym: take its `optional: true` away"
                found.add(f"told_apart_by names a column that a delivery may lack: {rank.name}; {reason}", *place)
        for name, texts in (column.identifying_when or {}).items():
            teller, way = self._column(name), ("columns", position, "identifying_when", name)
            if teller and teller.optional:
                found.add(f"identifying_when names a column that a delivery may lack: {teller.name}", *way)
            if teller and teller.codes and (never := sorted({*texts} - {*teller.codes, *teller.sentinels})):
                found.add(f"{teller.name} is never {', '.join(never)}: choose among its `codes`, or add it there", *way)

    def _column(self, name: str | None) -> Column | None:
        """The column of that name; None when there is none, or no name."""
        return self.by_name.get(name.lower()) if name else None

    @property
    def _keys_and_date(self) -> list[tuple[str, Location]]:
        """Columns that keys and the event's date name, each with where it is named."""
        named: list[tuple[str, Location]] = [(name, ("primary_key", n)) for n, name in enumerate(self.primary_key)]
        for position, key in enumerate(self.foreign_keys):
            named += [(name, ("foreign_keys", position, "columns", n)) for n, name in enumerate(key.columns)]
        return [*named, (self.event_date, ("event_date",))] if self.event_date else named

    @property
    def _named_by_columns(self) -> Iterator[tuple[str, Location]]:
        """Columns that others name, each with where it is named."""
        for position, column in enumerate(self.columns):
            for name in column.identifying_when or ():
                yield name, ("columns", position, "identifying_when", name)
            if column.told_apart_by:
                yield column.told_apart_by, ("columns", position, "told_apart_by")
            if column.not_before:
                yield column.not_before, ("columns", position, "not_before")

    def _check_order(self, column: Column) -> None:
        passed, later = [column.lake_name], column
        while earlier := self._column(later.not_before):
            if earlier.lake_name in passed:
                raise ValueError(f"not_before goes round in a circle: {column.name}")
            passed.append(earlier.lake_name)
            later = earlier
        kinds = {self.by_name[name].kind for name in passed}
        if len(passed) > 1 and (len(kinds) > 1 or not kinds <= DATED):
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

    def columns_of(self, kinds: Collection[str]) -> tuple[Column, ...]:
        """Columns of the lake that hold pseudonyms of identifiers of these kinds."""
        return tuple(column for column in self.lake_columns if column.identifier_type in kinds)

    @property
    def deciding_keys(self) -> tuple[Column, ...]:
        """Person keys of which the first filled says whose a row is; what comes after one always filled never does."""
        keys = self.person_keys
        last = next((n for n, column in enumerate(keys) if column.is_always_filled), len(keys))
        return keys[: last + 1]

    @property
    def event_column(self) -> Column | None:
        """The column that dates a row's event; None where none is declared, as of a table of persons."""
        return self._column(self.event_date)


class Dataset(Frozen):
    """One entry of the catalogue: one producer, one or more tables, one descriptor file."""

    id: Identifier
    version: int = Field(ge=1, le=LAST_VERSION)
    title: Text
    description: Text
    producer: Party
    owner: Owner
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
        found = Problems()
        with found.at("first_period"):
            check_period(self.first_period, self.cadence)
        self._check_sensitivity(found)
        names = set[str]()
        for position, table in enumerate(self.tables):
            way = ("tables", position)
            if table.lake_name in names:
                found.add(f"tables declared twice: {table.lake_name}", *way, "name")
            names.add(table.lake_name)
            for number, key in enumerate(table.foreign_keys):
                self._check_foreign_key(found, (*way, "foreign_keys", number), table, key)
            for number, column in enumerate(table.columns):
                told = never_told(column, table.by_name, self.format)
                for reason, place in (*unwritable(column, self.format), *told):
                    found.add(f"{table.name}.{column.name}: {reason}", *way, "columns", number, *place)
            self._check_reached(found, way, table)
            if table.unique_across_periods and (self.mode is not Mode.append or not table.primary_key):
                reason = f"{table.name}: unique_across_periods is for a primary_key in mode append"
                found.add(reason, *way, "unique_across_periods")
        found.end()
        return self

    def _check_sensitivity(self, found: Problems) -> None:
        """What is said of the whole holds of every column."""
        columns = [(f"{table.name}.{column.name}", column) for table in self.tables for column in table.columns]
        identities = [name for name, column in columns if not column.is_in_lake]
        persons = [f"{name} {reason}" for name, column in columns if (reason := column.why_not_open)]
        if self.sensitivity != "nominative" and identities:
            reason = "is a direct identifier: say nominative, or give the column another role"
            found.add(f"{identities[0]} {reason}", "sensitivity")
        elif self.is_open and persons:
            reason = "and what is open is delivered as it is: say pseudonymised, or take that away from the column"
            found.add(f"{persons[0]}, {reason}", "sensitivity")

    def _check_reached(self, found: Problems, way: Location, table: Table) -> None:
        """Oppositions reach what identifies a person or tells of one. A mere name may be a professional's."""
        owned = [other for other in self.tables if other.person_keys]
        shown = [column for column in self.of_persons(table) if column.tells or column.identifier_type]
        if owned and shown and not any(self._leads(table, other) for other in owned):
            reason = (
                "is of a person, and nothing leads from its table to one, so that no opposition reaches its rows: "
                "give the table a person_key, or a foreign key to a table that has one"
            )
            found.add(f"{table.name}.{shown[0].name} {reason}", *way, "columns", table.columns.index(shown[0]))

    def _check_foreign_key(self, found: Problems, way: Location, table: Table, key: ForeignKey) -> None:
        target = next((t for t in self.tables if t.lake_name == key.table.lower()), None)
        if target is None:
            found.add(f"{table.name}: foreign key to unknown table {key.table}", *way, "table")
            return
        if key.on_orphan == "reject" and self._leads(target, table):
            reason = (
                "a foreign key that leads back to its own table cannot reject orphans, since each may make others: "
                "count them, or refuse"
            )
            found.add(f"{table.name}: {reason}", *way, "on_orphan")
        there = "to_columns" if key.to_columns else "columns"
        if len(key.columns) != len(key.target_columns):
            found.add(f"{table.name}: foreign key to {key.table} pairs columns of different number", *way, there)
            return
        in_lake = {column.lake_name: column for column in target.lake_columns}
        for number, (name, its_name) in enumerate(zip(key.columns, key.target_columns, strict=True)):
            column, other = table.by_name[name.lower()], in_lake.get(its_name.lower())
            if other is None:
                reason = f"foreign key to unknown columns {key.table}.{its_name}"
                found.add(f"{table.name}: {reason}", *way, there, number)
                continue
            reason = ""
            if column.identifier_type != other.identifier_type:
                reason = "never match as pseudonyms of two kinds, or of one alone: give both the same identifier_type"
            elif column.duckdb_type != other.duckdb_type:
                reason = "are of types that never match"
            if reason:
                found.add(f"{table.name}.{name} and {key.table}.{its_name} {reason}", *way, "columns", number)

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
    def is_open(self) -> bool:
        """Whether it is about nobody and may be delivered as it is."""
        return self.sensitivity == "open"

    @cached_property
    def person_types(self) -> frozenset[str]:
        """Kinds of identifier that designate persons in it."""
        return frozenset(str(column.identifier_type) for table in self.tables for column in table.person_keys)

    def of_persons(self, table: Table) -> list[Column]:
        """Columns that show that a table's rows are of persons: they name them or tell something of them.

        Where a kind of identifier that designates no person here is part of its key, names are those of professionals.
        """
        keys = [table.by_name[name.lower()] for name in table.primary_key]
        is_of_others = any(key.is_pseudonymised and key.identifier_type not in self.person_types for key in keys)
        return [column for column in table.columns if column.tells or not (column.is_in_lake or is_of_others)]

    @property
    def has_persons(self) -> bool:
        """Whether any table designates persons."""
        return any(table.person_keys for table in self.tables)
