"""What each type takes as itself, and nothing else: the engine's own casts round, trim and guess."""

from __future__ import annotations

import duckdb
import pytest

from hdh_assets.core.descriptor import Column, Format, Table
from hdh_assets.sources.intake.row_rules import checks, valid_sql, values_sql

FRENCH = Format(delimiter=";", decimal=",", date="%d/%m/%Y", timestamp="%d/%m/%Y %H:%M:%S")
PLAIN = Format()
WORDS = {"en": "x", "fr": "x"}


def is_valid(text: str | None, kind: str, dialect: Format = PLAIN, **more: object) -> bool:
    column = Column.model_validate({"name": "C", "type": kind, "description": WORDS} | more)
    table = Table.model_validate({"name": "T", "title": WORDS, "description": WORDS, "columns": [column]})
    rules = valid_sql(checks(table, {"c"}, dialect))
    found = duckdb.execute(
        f"SELECT {rules} FROM ({values_sql(table, {'c'}, dialect, '(SELECT $1::VARCHAR AS c)')})", [text]
    )
    (verdict,) = found.fetchone() or (None,)
    assert verdict is not None
    return bool(verdict)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("integer", ["0", "-12", "+3", "007"], ["1.0", "1e2", " 1", "1 ", "", "1_0", "x", "9" * 30, "0x1"]),
        (
            "decimal(5,2)",
            ["0", "1.5", "-12.50", ".5", "1.500", "12."],
            ["1.505", "1,5", "1e1", " 1", "1000", "1..2", "", "."],
        ),
        ("float", ["1", "1.5e10", "-.5", "NaN", "0.30000000000000004"], ["1,5", "inf", " 1", "1e", "nan "]),
        ("date", ["2024-02-29"], ["2024-02-30", "2024-2-29", "29/02/2024", "0024-02-01", " 2024-02-29", "2024-02-29 "]),
        ("timestamp", ["2024-02-29T10:00:00Z"], ["2024-02-29T25:00:00Z", "2024-02-29", "2024-02-29T10:00:00"]),
        ("year", ["2024"], ["24", "02024", "2O24"]),
        ("yearmonth", ["202412"], ["202413", "202400", "2024-1", "20241", "020241"]),
        ("boolean", ["true", "False", "0", "1"], ["yes", "t", "2"]),
        ("uuid", ["0f8fad5b-d9cb-469f-a165-70867728950e"], ["0f8fad5bd9cb469fa16570867728950e", "x"]),
        ("string(3)", ["abc", "éàü", ""], ["abcd", "éàüx"]),
    ],
)
def test_types_are_exact(kind: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not is_valid(text, kind)] == []
    assert [text for text in bad if is_valid(text, kind)] == []
    assert is_valid(None, kind)


def test_french_dialect() -> None:
    assert is_valid("12,50", "decimal(5,2)", FRENCH)
    assert not is_valid("12.50", "decimal(5,2)", FRENCH)
    assert is_valid("29/02/2024", "date", FRENCH)
    assert not is_valid("29/02/24", "date", FRENCH)


def test_rules_beside_the_type() -> None:
    assert not is_valid(None, "integer", nullable=False)
    assert is_valid("5", "integer", minimum=5, maximum=5)
    assert not is_valid("4", "integer", minimum=5)
    assert not is_valid("6", "integer", maximum=5)
    assert is_valid("A", "string(1)", codes={"A": "a"})
    assert not is_valid("B", "string(1)", codes={"A": "a"})
    assert not is_valid("it's", "string(9)", pattern="[a-z]+")
    assert is_valid("00/00/0000", "date", FRENCH, sentinels=("00/00/0000",))
