"""What is said to tell of an identity must be a text that the files can hold: else the identity stays in the lake."""

from __future__ import annotations

from typing import Any

import pytest

from hdh_assets.core.column import Column
from hdh_assets.core.column_texts import never_told
from hdh_assets.core.dialect import Format
from tests.unit.core.test_descriptor import column

PLAIN, PARQUET = Format(), Format(kind="parquet")
FRENCH = Format(delimiter=";", decimal=",", date="%d/%m/%Y", timestamp="%d/%m/%Y %H:%M:%S")
UUID_TEXT = "0f8fad5b-d9cb-469f-a165-70867728950e"


def is_never(text: str, kind: str, dialect: Format, **more: Any) -> bool:
    teller = Column.model_validate(column("asked", kind, **more))
    said = Column.model_validate(column("said", identifying_when={"ASKED": [text]}))
    return bool(list(never_told(said, {"asked": teller}, dialect)))


@pytest.mark.parametrize(
    ("kind", "dialect", "good", "bad"),
    [
        ("string", PLAIN, ["1", "no answer"], [""]),
        ("string(2)", PARQUET, ["1", "12"], ["", "123"]),
        ("integer", PLAIN, ["1", "01", "+1", "-9223372036854775808"], ["1.0", "9223372036854775808", "9" * 5000, "١"]),
        ("decimal(3,1)", PLAIN, ["1", "1.5", "01.50", ".5", "-99.9"], ["1,5", "1.55", "100", ".", ""]),
        ("decimal(3,1)", FRENCH, ["1", "1,5", "01,50"], ["1.5"]),
        ("decimal(3,1)", PARQUET, ["1.5"], ["1,5"]),
        ("float", FRENCH, ["1,5", "1e3", "NaN"], ["1.5", "nan", "inf"]),
        ("float", PARQUET, ["1.5", "NaN", "nan"], ["1,5"]),
        ("date", PLAIN, ["2024-01-02"], ["02/01/2024", "2024-1-2", "2024-02-30", "20240102", "0001-01-01"]),
        ("date", FRENCH, ["02/01/2024"], ["2024-01-02", "2/1/2024"]),
        ("date", PARQUET, ["2024-01-02", "2024-01-02 00:00:00.0"], ["02/01/2024", "2024-01-02 10:00:00", "2024-02-30"]),
        ("timestamp", FRENCH, ["02/01/2024 03:04:05"], ["02/01/2024", "2024-01-02T03:04:05Z"]),
        ("timestamp", PARQUET, ["2024-01-02 03:04:05", "2024-01-02T03:04:05Z"], ["02/01/2024", "2024-01-02 25:00:00"]),
        ("year", PLAIN, ["2024"], ["24"]),
        ("yearmonth", PLAIN, ["202401"], ["202413", "2024-01"]),
        ("boolean", PLAIN, ["true", "True", "1"], ["yes", "2"]),
        ("uuid", PLAIN, [UUID_TEXT, UUID_TEXT.upper()], [UUID_TEXT.replace("-", "")]),
    ],
)  # fmt: skip
def test_what_tells_of_an_identity_is_a_value_as_the_files_write_it(
    kind: str, dialect: Format, good: list[str], bad: list[str]
) -> None:
    assert [text for text in good if is_never(text, kind, dialect)] == []
    assert [text for text in bad if not is_never(text, kind, dialect)] == []


def test_what_means_missing_may_tell_of_an_identity_too() -> None:
    assert not is_never("NA", "integer", PLAIN, sentinels=["NA"])


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("%-d/%-m/%Y", ["2/1/2024", "02/01/2024"], ["2024-01-02"]),
        ("%a %d %b %Y", ["Tue 02 Jan 2024", "tue 02 JAN 2024"], ["Mon 02 Jan 2024"]),
        ("%Y-%m-%d %H:%M%z", ["2024-01-02 03:04+02", "2024-01-02 03:04+02:00"], ["never"]),
    ],
)
def test_a_day_that_tells_is_written_in_the_form_of_its_column(form: str, good: list[str], bad: list[str]) -> None:
    kind = "timestamp" if "%H" in form else "date"
    assert [text for text in good if is_never(text, kind, PLAIN, format=form)] == []
    assert [text for text in bad if not is_never(text, kind, PLAIN, format=form)] == []
