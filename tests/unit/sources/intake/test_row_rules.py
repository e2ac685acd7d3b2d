"""What each type takes as itself, and nothing else: the engine's own casts round, trim and guess."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pytest

from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Table
from hdh_assets.core.dialect import Format
from hdh_assets.sources.intake.row_rules import checks, valid_sql, value_name, values_sql

FRENCH = Format(delimiter=";", decimal=",", date="%d/%m/%Y", timestamp="%d/%m/%Y %H:%M:%S")
PLAIN = Format()
WORDS = {"en": "x", "fr": "x"}
UUID_TEXT = "0f8fad5b-d9cb-469f-a165-70867728950e"


def is_valid(text: str | None, kind: str, dialect: Format = PLAIN, **more: object) -> bool:
    column = Column.model_validate({"name": "C", "type": kind, "description": WORDS} | more)
    table = Table.model_validate({"name": "T", "title": WORDS, "description": WORDS, "columns": [column]})
    rules = valid_sql(checks(table, {"c"}, dialect))
    # from a list, so that the engine runs the rules on rows and does not fold them
    source = "(SELECT unnest([$1::VARCHAR]) AS c)"
    found = duckdb.execute(f"SELECT {rules} FROM ({values_sql(table, {'c'}, dialect, source)})", [text])
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
        ("decimal(5,0)", ["1", "12.", "-1.0", ".0", "-.00"], [".5", "-.4", "0.5", ".05", "1.5", "."]),
        ("float", ["1", "1.5e10", "-.5", "NaN", "0.30000000000000004"], ["1,5", "inf", " 1", "1e", "nan "]),
        ("date", ["2024-02-29"], ["2024-02-30", "2024-2-29", "29/02/2024", "0024-02-01", " 2024-02-29", "2024-02-29 "]),
        ("timestamp", ["2024-02-29T10:00:00Z"], ["2024-02-29T25:00:00Z", "2024-02-29", "2024-02-29T10:00:00"]),
        ("year", ["2024"], ["24", "02024", "2O24"]),
        ("yearmonth", ["202412"], ["202413", "202400", "2024-1", "20241", "020241"]),
        ("boolean", ["true", "False", "0", "1"], ["yes", "t", "2"]),
        (
            "uuid",
            ["0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5B-D9CB-469F-A165-70867728950E"],
            ["0f8fad5bd9cb469fa16570867728950e", "x", "-f8fad5b0-d9cb-469fa165-70867728950e"],
        ),
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


@pytest.mark.parametrize(
    "text",
    [" 1/02/2024", "\t1/02/2024", "1/02/2024 ", "01/2/2024\t", "01/2/2024\n", "01/ 2/2024", "01/02/ 024", "01/02/+024"],
)
def test_white_space_does_not_stand_for_a_digit_of_a_date(text: str) -> None:
    assert not is_valid(text, "date", FRENCH)


@pytest.mark.parametrize(
    "text", ["01/02/2024  1:02:03", "01/02/2024 \t1:02:03", "01/02/2024\t01:02:03", " 1/02/2024 01:02:03"]
)
def test_white_space_does_not_stand_for_a_digit_of_a_timestamp(text: str) -> None:
    assert is_valid("01/02/2024 01:02:03", "timestamp", FRENCH)
    assert not is_valid(text, "timestamp", FRENCH)


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("%Y%j", ["2024366", "2023365", "2023001"], ["2023366", "2023000", "2023367"]),
        ("%a %d/%m/%Y", ["Thu 29/02/2024", "thu 29/02/2024"], ["Fri 29/02/2024"]),
        ("%A %d/%m/%Y", ["Thursday 29/02/2024", "THURSDAY 29/02/2024"], ["Friday 29/02/2024"]),
    ],
)
def test_a_day_that_is_told_twice_is_one_day(form: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not is_valid(text, "date", format=form)] == []
    assert [text for text in bad if is_valid(text, "date", format=form)] == []


def test_an_offset_is_one_of_the_earth_and_its_instant_in_a_year_of_four_digits() -> None:
    form = "%Y-%m-%dT%H:%M:%S%z"
    good = ["2024-01-02T03:04:05+02:00", "2024-01-02T03:04:05-1130", "2024-01-02T03:04:05+14", "9999-12-31T23:59:59+00"]
    bad = ["2024-01-02T03:04:05+25:00", "2024-01-02T03:04:05+02:60", "9999-12-31T23:00:00-05:00"]
    assert [text for text in good if not is_valid(text, "timestamp", format=form)] == []
    assert [text for text in bad if is_valid(text, "timestamp", format=form)] == []


def test_rules_beside_the_type() -> None:
    assert not is_valid(None, "integer", nullable=False)
    assert is_valid("5", "integer", minimum=5, maximum=5)
    assert not is_valid("4", "integer", minimum=5)
    assert not is_valid("6", "integer", maximum=5)
    assert is_valid("A", "string(1)", codes={"A": "a"})
    assert not is_valid("B", "string(1)", codes={"A": "a"})
    assert not is_valid("it's", "string(9)", pattern="[a-z]+")
    assert is_valid("00/00/0000", "date", FRENCH, sentinels=("00/00/0000",))


@pytest.mark.parametrize("bound", [100, 99, 1e9, 1e30, 1e300])
@pytest.mark.parametrize("kind", ["decimal(5,0)", "decimal(5,2)", "decimal(38,10)", "integer", "year", "float"])
def test_a_bound_of_any_size_raises_for_no_text(kind: str, bound: float) -> None:
    wrong = ["-32e4x", "1e400", ""]
    texts = [*wrong, "0.5e6", "-32e4", "9" * 38, "-0.005", "99999", "9999", "100"]
    found = [text for text in texts if is_valid(text, kind, minimum=-bound, maximum=bound)]
    assert not {*found} & {*wrong}


@pytest.mark.parametrize("kind", ["integer", "decimal(19,0)"])
def test_a_bound_that_no_binary_number_is_is_exact(kind: str) -> None:
    bound = 2**53 + 1
    found = [more for more in (-1, 0, 1) if is_valid(str(bound + more), kind, minimum=bound, maximum=bound)]
    assert found == [0]


def test_no_bound_has_what_is_no_number_within_it() -> None:
    for bounds in ({"minimum": 0}, {"maximum": 0}, {"minimum": 0, "maximum": 1}):
        assert not is_valid("NaN", "float", **bounds)
        assert is_valid("NaN", "float", sentinels=["NaN"], **bounds)


def test_a_bound_finer_than_its_column_is_exact() -> None:
    assert [is_valid(text, "decimal(5,1)", minimum=0.25, maximum=0.75) for text in ("0.2", "0.3", "0.7", "0.8")] == [
        False,
        True,
        True,
        False,
    ]
    assert [is_valid(text, "integer", minimum=-1.5, maximum=1.5) for text in ("-2", "-1", "1", "2")] == [
        False,
        True,
        True,
        False,
    ]
    assert is_valid("0.10", "decimal(5,2)", minimum=0.1, maximum=0.1)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"minimum": 0, "maximum": 2147483647}, "≥ 0, ≤ 2147483647"),
        ({"minimum": -0.5}, "≥ -0.5"),
        ({"maximum": 1e30}, "≤ 1e+30"),
    ],
)
def test_a_bound_is_told_as_it_was_written(bounds: dict[str, float], words: str) -> None:
    column = Column.model_validate({"name": "C", "type": "float", "description": WORDS} | bounds)
    table = Table.model_validate({"name": "T", "title": WORDS, "description": WORDS, "columns": [column]})
    assert [check.expected for check in checks(table, {"c"}, PLAIN) if check.rule == "range"] == [words]


def order_kept(first: str | None, last: str | None, **more: object) -> bool:
    described = [
        Column.model_validate({"name": "FIRST", "type": "date", "description": WORDS} | more),
        Column.model_validate({"name": "LAST", "type": "date", "description": WORDS, "not_before": "FIRST"} | more),
    ]
    table = Table.model_validate({"name": "T", "title": WORDS, "description": WORDS, "columns": described})
    present = {"first", "last"} if first != "absent" else {"last"}
    rules = [check for check in checks(table, present, FRENCH) if check.rule == "order"]
    if first == "absent":
        assert not rules
        return True
    assert [(rule.column, rule.expected) for rule in rules] == [("LAST", "FIRST")]
    source = "(SELECT unnest([$1::VARCHAR]) AS first, unnest([$2::VARCHAR]) AS last)"
    found = duckdb.execute(
        f"SELECT {valid_sql(rules)} FROM ({values_sql(table, present, FRENCH, source)})", [first, last]
    )
    return found.fetchall() == [(True,)]


def test_an_end_is_not_before_its_start() -> None:
    assert order_kept("01/02/2024", "01/02/2024")
    assert order_kept("01/02/2024", "29/02/2024")
    assert not order_kept("01/02/2024", "31/01/2024")
    assert order_kept("01/02/2024", None)
    assert order_kept(None, "01/02/2024")
    assert order_kept("absent", "01/02/2024")
    assert order_kept("01/02/2024", "x")
    assert order_kept("01/02/2024", "01/01/1600", sentinels=("01/01/1600", "31/12/9999"))
    assert order_kept("31/12/9999", "01/02/2024", sentinels=("01/01/1600", "31/12/9999"))


def value(texts: dict[str, str], *columns: dict[str, object], dialect: Format = FRENCH) -> object:
    """What the first column becomes in the lake; identifiers are named rather than hashed."""
    described = [Column.model_validate({"description": WORDS} | column) for column in columns]
    table = Table.model_validate({"name": "T", "title": WORDS, "description": WORDS, "columns": described})
    source = "(SELECT " + ", ".join(f"'{text}' AS {name}" for name, text in texts.items()) + ")"
    engine = duckdb.connect()
    engine.execute("CREATE MACRO pseudonyms_t(ids) AS struct_pack(who := 'pseudonym of ' || ids.who)")
    engine.execute(
        "CREATE TABLE known_practitioner AS "
        "SELECT * FROM (VALUES ('87654321', 'remembered'), ('00000000', 'nobody')) k(_identifier, _pseudonym)"
    )
    found = engine.execute(
        f"SELECT {value_name(described[0], table, dialect)} FROM ({values_sql(table, set(texts), dialect, source)})"
    ).fetchone()
    assert found is not None
    return found[0]


def test_rule_44_a_sentinel_is_nobody_and_has_no_pseudonym() -> None:
    who = {"name": "WHO", "type": "string(9)", "role": "quasi_identifier", "identifier_type": "practitioner"}
    who |= {"sentinels": ["00000000"]}
    assert value({"who": "12345678"}, who) == "pseudonym of 12345678"
    assert value({"who": "87654321"}, who) == "remembered"
    assert value({"who": "00000000"}, who) is None


@pytest.mark.parametrize(
    ("kind", "written", "same"),
    [("integer", "7", ["007", "+7"]), ("uuid", UUID_TEXT, [UUID_TEXT.upper()]), ("string(9)", "07", [])],
)
def test_a_number_or_a_uuid_has_one_pseudonym_however_it_is_written(kind: str, written: str, same: list[str]) -> None:
    """One person was two where a producer wrote 007 and 7."""
    who = {"name": "WHO", "type": kind, "role": "quasi_identifier", "identifier_type": "practitioner"}
    found = {value({"who": text}, who) for text in [written, *same]}
    assert found == {f"pseudonym of {written}"}


@pytest.mark.parametrize(
    ("kind", "sentinel", "texts"),
    [("integer", "0", ["0", "000", "-0"]), ("string(9)", "0", ["0"]), ("integer", "NA", ["NA"])],
)
def test_nobody_has_no_pseudonym_however_it_is_written(kind: str, sentinel: str, texts: list[str]) -> None:
    who = {"name": "WHO", "type": kind, "role": "quasi_identifier", "identifier_type": "practitioner"}
    who |= {"sentinels": [sentinel]}
    assert [value({"who": text}, who) for text in texts] == [None] * len(texts)


@pytest.mark.parametrize(
    ("kind", "said", "identifying", "others"),
    [
        ("string(1)", "1", ["1"], ["2", "01"]),
        ("integer", "1", ["1", "01", "+1"], ["2", "-1"]),
        ("boolean", "true", ["true", "True", "1"], ["false", "0"]),
        ("decimal(5,1)", "1,5", ["1,5", "1,50", "01,5"], ["1,6"]),
        ("date", "01/02/2024", ["01/02/2024"], ["02/01/2024"]),
        ("uuid", UUID_TEXT, [UUID_TEXT, UUID_TEXT.upper()], ["1" + UUID_TEXT[1:]]),
    ],
)
def test_an_answer_that_tells_an_identity_is_null_in_the_lake(
    kind: str, said: str, identifying: list[str], others: list[str]
) -> None:
    """Addresses stayed in the lake where the question's number was delivered with a zero before it."""
    answer = {"name": "ANSWER", "type": "string(40)", "identifying_when": {"QUESTION": [said]}}
    question = {"name": "QUESTION", "type": kind}
    assert [value({"answer": "rue Haute", "question": text}, answer, question) for text in identifying] == [None] * len(
        identifying
    )
    assert {value({"answer": "never", "question": text}, answer, question) for text in others} == {"never"}


@pytest.mark.parametrize(
    ("kind", "sentinel", "text", "more"),
    [
        ("integer", "99", "99", {"maximum": 50}),
        ("integer", "99", "099", {"maximum": 50}),
        ("decimal(5,2)", "99", "99.00", {"maximum": 50}),
        ("float", "-1", "-1.0", {"minimum": 0}),
        ("date", "1600-01-01", "1600-01-01 00:00:00", {}),
        ("integer", "NA", "NA", {}),
    ],
)
def test_what_means_missing_does_so_however_it_is_written(
    kind: str, sentinel: str, text: str, more: dict[str, object]
) -> None:
    assert is_valid(text, kind, Format(kind="parquet"), sentinels=[sentinel], **more)
    assert not is_valid("x", kind, Format(kind="parquet"), sentinels=[sentinel], **more)


def test_a_text_that_is_no_number_means_no_other() -> None:
    """The engine takes 1.6 for the integer 2."""
    assert not is_valid("2", "integer", sentinels=["1.6"], maximum=1)
    assert is_valid("1.6", "integer", sentinels=["1.6"], maximum=1)


@pytest.mark.parametrize(
    ("kind", "sentinel", "text"),
    [
        ("integer", "99", "98.6"),
        ("decimal(4,2)", "99", "98.996"),
        ("boolean", "true", "yes"),
        ("date", "2024-01-02", "2024-1-2"),
    ],
)
def test_a_text_that_is_none_of_the_type_is_not_missing_for_what_the_engine_makes_of_it(
    kind: str, sentinel: str, text: str
) -> None:
    assert not is_valid(text, kind, sentinels=[sentinel])
    assert is_valid(sentinel, kind, sentinels=[sentinel])


@pytest.mark.parametrize("code", ["1", "01"])
def test_a_code_of_a_number_is_that_number_however_it_is_written(code: str) -> None:
    """In Parquet a number has no zeros before it."""
    assert [is_valid(text, "integer", codes={code: "x", "7": "y"}) for text in ["1", "01", "+1"]] == [True] * 3
    assert [is_valid(text, "integer", codes={code: "x", "7": "y"}) for text in ["2", "1.4"]] == [False] * 2
    assert not is_valid("01", "string(2)", codes={"1": "x"})


def test_rule_42_leading_zeros_survive() -> None:
    assert value({"code": "0000009348420"}, {"name": "CODE", "type": "string(13)"}) == "0000009348420"
    assert value({"finess": "01078000"}, {"name": "FINESS", "type": "string(8)"}) == "01078000"


def test_rule_43_dates_are_read_in_the_producers_form() -> None:
    assert value({"day": "29/02/2024"}, {"name": "DAY", "type": "date"}) == date(2024, 2, 29)
    assert value({"day": "29022024"}, {"name": "DAY", "type": "date", "format": "%d%m%Y"}) == date(2024, 2, 29)
    month = {"name": "DAY", "type": "timestamp", "format": "%d%b%Y:%H:%M:%S"}
    assert value({"day": "01JAN1996:00:00:00"}, month) == datetime(1996, 1, 1)
