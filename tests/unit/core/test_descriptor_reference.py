"""The reference of descriptors names every key and every name a key may hold, and none that is gone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from hdh_assets.core.column import Column, Role, Text
from hdh_assets.core.column_types import KINDS
from hdh_assets.core.descriptor import Dataset, ForeignKey, Mode, Table
from hdh_assets.core.dialect import Format
from hdh_assets.core.generators import COLUMN_GENERATORS, GENERATORS
from hdh_assets.core.parties import Party, Synth, Thresholds
from hdh_assets.core.periods import EXAMPLES, Cadence

PAGE = (Path(__file__).parents[3] / "docs" / "descriptor.md").read_text("utf-8")
SECTIONS = {part.partition("\n")[0].strip(): part for part in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)}
MODELS: dict[str, type[BaseModel]] = {
    "Dataset": Dataset, "Producer": Party, "Format": Format, "Thresholds": Thresholds, "Synth": Synth, "Table": Table,
    "Foreign key": ForeignKey, "Column": Column, "Text": Text,
}  # fmt: skip
NAMES = {
    "Modes": [str(mode) for mode in Mode],
    "Periods": list(get_args(Cadence)),
    "Roles": [str(role) for role in Role],
    "Types": list(KINDS),
    "Generators": [*GENERATORS, *COLUMN_GENERATORS, "between 1 5"],
}


def rows(section: str) -> dict[str, list[str]]:
    """The cells after the first, by the name in the first."""
    found = {}
    for line in SECTIONS[section].splitlines():
        if named := re.match(r"\| `([^`]+)` \|", line):
            found[named[1]] = [cell.strip() for cell in line[named.end() :].strip("|").split("|")]
    return found


@pytest.mark.parametrize("section", MODELS)
def test_every_key_is_named_with_its_default_and_none_that_is_gone(section: str) -> None:
    fields, told = MODELS[section].model_fields, rows(section)
    assert set(told) == set(fields)
    assert {name for name, cells in told.items() if cells[0] == "required"} == {
        name for name, field in fields.items() if field.is_required()
    }
    for name, (default, _, example) in told.items():
        value = fields[name].default
        if isinstance(value, str | int | float):
            assert default.strip("`") == (str(value).lower() if isinstance(value, bool) else f"{value}")
        assert example.startswith(f"`{name}: ")


@pytest.mark.parametrize("section", NAMES)
def test_every_name_a_key_may_hold_is_told_and_none_that_is_gone(section: str) -> None:
    assert sorted(rows(section)) == sorted(NAMES[section])


def test_periods_are_written_as_they_are_taken() -> None:
    assert {cadence: cells[1].strip("`") for cadence, cells in rows("Periods").items()} == EXAMPLES
