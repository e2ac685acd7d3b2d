"""What a dataset is: the frozen model of a descriptor file, the only place where a dataset is described.

Here: the model, its cross-field rules, and what can be derived from a descriptor alone. Reading the files is in
`descriptor_files.py`; SQL made from a descriptor belongs to the intake.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from hdh_assets.core.column_types import (
    check_bounds,
    check_codes,
    check_identifier,
    check_pattern,
    check_type,
    duckdb_type,
    kind_of,
    numbers_of,
)
from hdh_assets.core.dialect import Format, check_time_form
from hdh_assets.core.periods import PERIOD_FORMATS, Cadence, check_period

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]

FAMILIES: dict[str, str] = {
    "snds": "SNDS",
    "snds_satellite": "Systèmes-fils du SNDS",
    "cohort": "Grandes cohortes nationales",
    "registry": "Registres épidémiologiques",
    "hospital": "Dossier patient informatisé hospitalier",
    "general_practice": "Cabinets de médecine de ville",
    "pharmacy_record": "Dossier pharmaceutique",
    "genomics": "Génomique",
    "patient_reported": "Évaluation par les patients",
    "imaging": "Imagerie de ville",
    "laboratory": "Laboratoires de biologie médicale",
    "context": "Données contextuelles et de pratiques",
    "shared_record": "DMP et Mon espace santé",
    "telemedicine": "Télémédecine et dispositifs connectés",
    "regional": "Données régionales sur le parcours",
    "medico_social": "Médico-social",
    "occupational": "Dossier médical en santé au travail",
}
"""The seventeen source families, by folder name under `hdh_assets/sources/`."""


_SCHEMAS = {"main", "meta", "staging", "omop", "linked", "catalog", "lake", "temp", "system", "memory"}
_SYSTEM_SCHEMAS = {"pg_catalog", "information_schema"}
RESERVED = _SCHEMAS | _SYSTEM_SCHEMAS | {"answer_delivery_without_a_place", "oppositions"}
"""Names no dataset may have: schemas, and jobs beside those that are named after datasets."""


_DATED = {"date", "timestamp", "year", "yearmonth"}


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Frozen):
    """A text in both languages of the hub."""

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)


class Role(StrEnum):
    """What a column may become downstream."""

    direct_identifier = "direct_identifier"
    """Goes to the vault, never to the lake."""
    person_key = "person_key"
    """Becomes the hub pseudonym (a UUID) at intake."""
    quasi_identifier = "quasi_identifier"
    record_key = "record_key"
    """Numbers a record of the producer (a claim, an encounter). Kept in the lake for joins; an extract replaces it, so
    that two projects cannot join on it."""
    sensitive = "sensitive"
    payload = "payload"


class Mode(StrEnum):
    """What a new period does to those before it."""

    append = "append"
    """Each period adds."""
    snapshot = "snapshot"
    """The latest period replaces all others, in whatever order they arrive."""
    cumulative = "cumulative"
    """Within a year, the latest period replaces the earlier ones of that year."""


class Column(_Frozen):
    """One column of a delivered table, under the producer's name."""

    name: Name
    type: str
    """`string(n)`, `integer`, `decimal(p,s)`, `float` (binary, may be NaN), `date`, `timestamp`, `year`, `yearmonth`
    (AAAAMM), `boolean`, `uuid`."""
    description: Text
    nullable: bool = True
    optional: bool = False
    """A delivery may lack the column altogether; it is then null."""
    role: Role = Role.payload
    identifier_type: Identifier | None = None
    """Domain of the pseudonym. Columns of the same domain get equal pseudonyms for equal identifiers."""
    told_apart_by: Name | None = None
    """The column that tells apart persons who share this identifier (BEN_RNG_GEM, for same-sex twins)."""
    aliases: tuple[Name, ...] = ()
    """Other names the producer gives the same column (project extractions say NUM_ENQ)."""
    unit: str | None = None
    code_list: str | None = None
    """Name of the nomenclature the values come from, for the reader."""
    codes: dict[str, str] | None = None
    """Allowed codes with their labels; any other value breaks rule `in_list`."""
    minimum: float | None = None
    maximum: float | None = None
    not_before: Name | None = None
    """The column that holds the earliest value allowed on a row, as the start for an end; both are of one kind of date.
    An earlier value breaks rule `order`."""
    pattern: str | None = None
    """Regular expression the whole text must match."""
    format: str | None = None
    """strptime format of a date or timestamp, where it differs from the table's dialect."""
    sentinels: tuple[str, ...] = ()
    """Producer's texts that mean missing; kept as delivered at the source, null in staging. A pseudonymised column has
    null at the source already: the pseudonym of a sentinel would pass for somebody."""
    identifying_when: dict[Name, Annotated[tuple[str, ...], Field(min_length=1)]] | None = Field(None, min_length=1)
    """Rows on which the value is a direct identifier: those where the named column holds one of these texts (a survey
    answer that is an address). There the lake has null; the vault keeps the original file."""
    synth: str | None = None
    """Name of a generator of synthetic values (see `hdh_assets/sources/synth`); else one is chosen by type."""

    @field_validator("type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        return check_type(value)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.role is Role.person_key and not self.identifier_type:
            raise ValueError("a person_key needs an identifier_type")
        check_bounds(self.type, self.minimum, self.maximum)
        if self.codes is not None:
            check_codes(self.type, self.codes)
        if self.pattern is not None:
            check_pattern(self.type, self.pattern)
        if self.is_pseudonymised:
            check_identifier(self.type)
        if self.format is not None:
            check_time_form(self.format)
        return self

    @property
    def kind(self) -> str:
        """The type without its length."""
        return kind_of(self.type)

    @property
    def length(self) -> int | None:
        """Greatest number of characters of a string; None when not declared."""
        numbers = numbers_of(self.type)
        return numbers[0] if numbers and self.kind == "string" else None

    @property
    def lake_name(self) -> str:
        """The producer's name in lower case."""
        return self.name.lower()

    @property
    def is_pseudonymised(self) -> bool:
        """Whether intake replaces the value by a keyed pseudonym."""
        return self.identifier_type is not None and self.role is not Role.direct_identifier

    @property
    def is_person_key(self) -> bool:
        """Whether it designates a person."""
        return self.role is Role.person_key

    @property
    def is_in_lake(self) -> bool:
        """Direct identifiers are not."""
        return self.role is not Role.direct_identifier

    @property
    def duckdb_type(self) -> str:
        """Type of the column in the lake."""
        return "UUID" if self.is_pseudonymised else duckdb_type(self.type)


class ForeignKey(_Frozen):
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


class Table(_Frozen):
    """One delivered table: grain, columns and keys."""

    name: Name
    title: Text
    description: Text
    columns: tuple[Column, ...] = Field(min_length=1)
    primary_key: tuple[Name, ...] = ()
    on_duplicate_key: Literal["count", "reject", "refuse"] = "refuse"
    foreign_keys: tuple[ForeignKey, ...] = ()
    optional: bool = False
    """A delivery may lack the table."""
    event_date: Name | None = None
    """The column that says when the fact happened, for the period covered and time charts."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [column.lake_name for column in self.columns]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"columns declared twice: {', '.join(doubled)}")
        spellings = [s.lower() for c in self.columns for s in (c.name, *c.aliases)]
        if doubled := sorted({s for s in spellings if spellings.count(s) > 1}):
            raise ValueError(f"names that could mean two columns: {', '.join(doubled)}")
        known = set(names)
        used = [*self.primary_key, *(c for fk in self.foreign_keys for c in fk.columns)]
        used += [name for column in self.columns for name in column.identifying_when or ()]
        used += [column.told_apart_by for column in self.columns if column.told_apart_by]
        used += [column.not_before for column in self.columns if column.not_before]
        used += [self.event_date] if self.event_date else []
        if unknown := sorted({name for name in used if name.lower() not in known}):
            raise ValueError(
                "keys, event_date, identifying_when, told_apart_by or not_before name unknown columns: "
                + ", ".join(unknown)
            )
        for column in self.columns:
            self._check_order(column)
        used = [*self.primary_key, *(c for fk in self.foreign_keys for c in fk.columns)]
        used += [self.event_date] if self.event_date else []
        if self.event_date and self.by_name[self.event_date.lower()].kind not in _DATED:
            raise ValueError(f"event_date must be a date, a timestamp, a year or a yearmonth: {self.event_date}")
        if emptied := sorted({name for name in self.primary_key if self.by_name[name.lower()].identifying_when}):
            raise ValueError(f"the key would be empty where it is identifying: {', '.join(emptied)}")
        if hidden := sorted({name for name in used if not self.by_name[name.lower()].is_in_lake}):
            raise ValueError(
                f"keys or event_date name direct identifiers, which only the vault holds: {', '.join(hidden)}"
            )
        return self

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


class Party(_Frozen):
    """Who delivers or answers for a dataset."""

    id: Identifier
    name: str
    contact: str


class Thresholds(_Frozen):
    """When rejects become a refusal."""

    max_reject_ratio: float = Field(default=0.01, ge=0, le=1)
    """Greatest share of rejected rows in a table; above it the delivery is refused."""


class Synth(_Frozen):
    """How synthetic deliveries are made."""

    generator: str = "generic"
    """Name of a registered generator; `generic` derives everything from the descriptor."""
    rows_per_person: float = Field(default=10, gt=0)


class Dataset(_Frozen):
    """One entry of the catalogue: one producer, one or more tables, one descriptor file."""

    id: Identifier
    version: int = Field(ge=1)
    title: Text
    description: Text
    producer: Party
    owner: Annotated[str, StringConstraints(pattern=r"^(team:[a-z][a-z0-9_-]*|[^@\s]+@[^@\s]+)$")]
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
        check_period(self.first_period, self.cadence)
        return self

    def _check_foreign_key(self, table: Table, key: ForeignKey) -> None:
        target = next((t for t in self.tables if t.lake_name == key.table.lower()), None)
        if target is None:
            raise ValueError(f"{table.name}: foreign key to unknown table {key.table}")
        if len(key.columns) != len(key.target_columns):
            raise ValueError(f"{table.name}: foreign key to {key.table} pairs columns of different number")
        in_lake = {column.lake_name for column in target.lake_columns}
        if missing := [c for c in key.target_columns if c.lower() not in in_lake]:
            raise ValueError(f"{table.name}: foreign key to unknown columns {key.table}.{', '.join(missing)}")
        for here, there in zip(key.columns, key.target_columns, strict=True):
            types = {table.by_name[here.lower()].duckdb_type, target.by_name[there.lower()].duckdb_type}
            if len(types) > 1:
                raise ValueError(f"{table.name}.{here} and {key.table}.{there} are of types that never match")

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
