"""One column of a delivered table: the part of a descriptor that says what a value is and what becomes of it.

Here: the model and what one column alone must obey. How columns hang together is in `descriptor.py`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Literal, Self
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from hdh_assets.core.column_types import (
    Bound,
    check_bounds,
    check_coded,
    check_codes,
    check_day,
    check_identifier,
    check_pattern,
    check_printable,
    check_type,
    duckdb_type,
    kind_of,
    numbers_of,
)
from hdh_assets.core.dialect import check_time_form
from hdh_assets.core.generators import check_column_generator
from hdh_assets.core.problems import Problems, ProblemsError


def of_form(form: str, words: str) -> AfterValidator:
    """A text that must be of that form, told in words to who wrote another."""
    expression = re.compile(form)

    def check(text: str) -> str:
        if not expression.fullmatch(text):
            raise ValueError(f"expected: {words}")
        return text

    return AfterValidator(check)


Identifier = Annotated[
    str, of_form(r"[a-z][a-z0-9_]{1,62}", "2 to 63 lower-case letters without accents, digits and _, a letter first")
]
Name = Annotated[
    str, of_form(r"[A-Za-z][A-Za-z0-9_]{0,62}", "1 to 63 letters without accents, digits and _, a letter first")
]
Heading = Annotated[
    str,
    of_form(
        r"""(?! )[^"\x00-\x1f\x7f-\x9f]{1,200}(?<! )""",
        "1 to 200 characters, no quote or control character among them and no space at either end",
    ),
]
_CUT_TYPE = re.compile(r"[a-z]+\([0-9]+")
_REST_OF_TYPE = re.compile(r"[0-9]+\)")


def spelled(heading: str) -> str:
    """A name at the head of a column as it is compared: in any case, its accents composed or not."""
    return normalize("NFC", heading).lower()


class Frozen(BaseModel):
    """A part of a descriptor: no field but those declared, and none changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Frozen):
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
    that two projects cannot join on it. Parts of a primary key are taken for such, unless something says otherwise: one
    of the two roles below, `codes` or a `code_list`, the type of a year, month or boolean, or that it is the
    `event_date` (which foreign keys must not point to)."""
    sensitive = "sensitive"
    payload = "payload"
    """A value, in a key too."""


_NOT_OPEN = {Role.direct_identifier, Role.person_key, Role.quasi_identifier, Role.sensitive}
"""Roles of what is of persons."""


class Column(Frozen):
    """One column of a delivered table, under the producer's name."""

    name: Name
    type: str
    """`string(n)`, `integer`, `decimal(p,s)`, `float` (binary, may be NaN), `date`, `timestamp`, `year`, `yearmonth`
    (AAAAMM), `boolean`, `uuid`."""
    description: Text
    nullable: bool = True
    optional: bool = False
    """A delivery may lack the column altogether; it is then null."""
    role: Role | None = None
    """None where nothing is said: a value like `payload`, but in a key taken for the number of a record."""
    identifier_type: Identifier | None = None
    """Domain of the pseudonym. Columns of the same domain get equal pseudonyms for equal identifiers."""
    told_apart_by: Name | None = None
    """The column that tells apart persons who share this identifier (BEN_RNG_GEM, for same-sex twins)."""
    aliases: tuple[Heading, ...] = ()
    """Other names the producer gives the same column (project extractions say NUM_ENQ)."""
    unit: str | None = None
    code_list: str | None = None
    """Name of the nomenclature the values come from, for the reader."""
    codes: dict[str, str] | None = None
    """Allowed codes with their labels; any other value breaks rule `in_list`."""
    minimum: Bound | None = None
    maximum: Bound | None = None
    """Of a float, NaN is within no bounds."""
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
    tells: Literal["birth_month", "birth_day", "commune", "death", "activity"] | None = None
    """What it tells of a person that a permit grants as finely as it says: day or month of birth, commune of the home
    (given only where that is granted), day, month or year of death or of any activity, such as the last care (given
    only where the whole of it lies within the permit's period)."""
    synth: str | None = None
    """Name of a generator of synthetic values (`core/generators.py`); else one is chosen by type."""

    @model_validator(mode="before")
    @classmethod
    def _whole_type(cls, said: Any) -> Any:
        """Within braces, the comma of a decimal without quotes ends it, and makes a key of what follows."""
        if isinstance(said, dict) and _CUT_TYPE.fullmatch(str(said.get("type"))):
            rest = next((key for key in said if _REST_OF_TYPE.fullmatch(str(key))), None)
            if rest is not None:
                raise ProblemsError([(("type",), f'write "{said["type"]},{rest}" in quotes')])
        return said

    @field_validator("type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        return check_type(value)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        found = Problems()
        if self.role is Role.person_key and not self.identifier_type:
            found.add("a person_key needs an identifier_type", "role")
        if self.optional and not self.nullable:
            reason = "an optional column is null where a delivery lacks it: it cannot be `nullable: false`"
            found.add(reason, "nullable")
        with found.at("maximum" if self.minimum is None else "minimum"):
            check_bounds(self.type, self.minimum, self.maximum)
        with found.at("codes"):
            if self.codes is not None:
                check_codes(self.type, self.codes)
                if self.kind == "integer":
                    check_coded(self._true_codes, self.minimum, self.maximum)
        with found.at("pattern"):
            if self.pattern is not None:
                check_pattern(self.type, self.pattern, self._true_codes)
        with found.at("sentinels"):
            check_printable("sentinels", self.sentinels)
        with found.at("identifying_when"):
            check_printable("identifying_when", chain(*(self.identifying_when or {}).values()))
        with found.at("type"):
            if self.is_pseudonymised:
                check_identifier(self.type)
        if self.told_apart_by and not self.is_pseudonymised:
            found.add("told_apart_by is for an identifier that becomes a pseudonym, which this is not", "told_apart_by")
        with found.at("tells"):
            if self.tells in {"death", "activity"}:
                check_day(self.tells, self.type)
        with found.at("format"):
            if self.format is not None:
                check_time_form(self.format, self.kind)
        with found.at("synth"):
            if self.synth is not None:
                check_column_generator(self.synth, self.kind, is_nullable=self.nullable)
        found.end()
        return self

    @property
    def _true_codes(self) -> list[str]:
        """Codes that mean something, which the other rules are for."""
        return [code for code in self.codes or () if code not in self.sentinels]

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
    def is_said_to_be_a_value(self) -> bool:
        """Whether its role says that it tells something by itself, even within a key."""
        return self.role in {Role.payload, Role.sensitive}

    @property
    def is_person_key(self) -> bool:
        """Whether it designates a person."""
        return self.role is Role.person_key

    @property
    def why_not_open(self) -> str:
        """What shows that it is of persons, and not for a dataset that is open; empty where nothing does."""
        if self.role in _NOT_OPEN:
            return f"has role {self.role}"
        if self.identifier_type:
            return f"has identifier_type {self.identifier_type}"
        return f"tells {self.tells}" if self.tells else ""

    @property
    def is_in_lake(self) -> bool:
        """Direct identifiers are not."""
        return self.role is not Role.direct_identifier

    @property
    def is_emptied(self) -> bool:
        """Whether the lake may hold null where the producer gave a text."""
        return self.identifying_when is not None or (self.is_pseudonymised and bool(self.sentinels))

    @property
    def is_always_filled(self) -> bool:
        """Whether the lake has no row where it is null."""
        return not self.nullable and not self.is_emptied

    @property
    def duckdb_type(self) -> str:
        """Type of the column in the lake."""
        return "UUID" if self.is_pseudonymised else duckdb_type(self.type)
