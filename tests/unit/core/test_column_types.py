"""What a description may ask of a column: what the engine could not do is refused, with the reason."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from hdh_assets.core.column_types import (
    check_bounds,
    check_codes,
    check_identifier,
    check_pattern,
    check_type,
    duckdb_type,
)

GOOD = [
    "string",
    "string(1)",
    "integer",
    "decimal(1,0)",
    "decimal(38,38)",
    "decimal(9,2)",
    "float",
    "date",
    "timestamp",
]
GOOD += ["year", "yearmonth", "boolean", "uuid"]


@pytest.mark.parametrize("type_", GOOD)
def test_every_type_is_one_of_the_engine(type_: str) -> None:
    duckdb.execute(f"SELECT NULL::{duckdb_type(check_type(type_))}")


@pytest.mark.parametrize(
    "type_",
    ["", "text", "decimal(\u0661\u0660,\u0662)", "string(\u0661)",
     "string(0)", "string()", "string(1,2)", "integer(4)", "uuid(3)", "date(4)", "decimal", "decimal(9)",
     "decimal(39,2)", "decimal(2,5)", "decimal(0,0)", "decimal(9,2) ", "Decimal(9,2)"],
)  # fmt: skip
def test_no_other_type_is_taken(type_: str) -> None:
    with pytest.raises(ValueError, match=r"must be|write|holds nothing|decimal"):
        check_type(type_)


@pytest.mark.parametrize(
    ("type_", "minimum", "maximum"),
    [
        ("string", 1, 2),
        ("date", 3, None),
        ("integer", float("nan"), None),
        ("float", None, float("inf")),
        ("year", 2, 1),
        ("float", None, 10**400),
        ("decimal(2,2)", 1, None),
        ("decimal(2,2)", None, -0.995),
        ("integer", 2**63, None),
        ("year", 10_000, None),
    ],
)
def test_bounds_are_of_numbers_and_in_order(type_: str, minimum: Any, maximum: Any) -> None:
    with pytest.raises(ValueError, match=r"minimum|maximum"):
        check_bounds(type_, minimum, maximum)
    check_bounds("integer", -1, 1)
    check_bounds("decimal(2,2)", 0.99, None)
    check_bounds("decimal(38,0)", 10**38 - 1, 10**38 - 1)


@pytest.mark.parametrize(
    ("type_", "codes"),
    [
        ("date", {"1": "a"}),
        ("string", {}),
        ("string", {"": "a"}),
        ("integer", {"one": "a"}),
        ("string(1)", {"12": "a"}),
    ],
)
def test_codes_are_values_of_their_column(type_: str, codes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="code"):
        check_codes(type_, codes)
    check_codes("integer", {"-1": "a", "02": "b"})


@pytest.mark.parametrize(
    "pattern",
    ["(", r"\p{L}+", "a(?=b)", "(?<!a)b", r"(a)\1", "(?P<a>b)(?P=a)", "(?>a)", "a++", "(?#a)", r"a\Z", "a{1001}"],
)
def test_a_pattern_is_one_of_the_engine(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        check_pattern("string", pattern)


def test_codes_match_the_pattern_of_their_column() -> None:
    with pytest.raises(ValueError, match="the codes d do not match"):
        check_pattern("string(2)", "a|bc?", ["a", "d"])
    check_pattern("string(2)", "a|b|[0-9]*.*", ["a", "b"])


@pytest.mark.parametrize("pattern", ["[A-Z]{3}", "(?i)a|b", "(?P<a>b)+", r"\d{1,1000}", "(?:a|b)*?", "a+?", ".*"])
def test_an_expression_that_is_taken_works_in_the_engine(pattern: str) -> None:
    check_pattern("string", pattern)
    duckdb.execute("SELECT regexp_full_match('a', ?)", [pattern])


def test_values_written_in_several_ways_have_no_pattern_and_identify_nobody() -> None:
    with pytest.raises(ValueError, match="a pattern is for"):
        check_pattern("decimal(9,2)", "[0-9]+")
    with pytest.raises(ValueError, match="an identifier is"):
        check_identifier("date")
