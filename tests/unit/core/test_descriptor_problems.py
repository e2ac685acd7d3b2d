"""Problems of a descriptor are told where they stand, together, and in words that say what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hdh_assets.core import descriptor_files
from hdh_assets.core.descriptor_files import descriptor_paths
from tests.unit.core.test_descriptor import acts, column, dataset, message_of, person, table, written


def told(folder: Path, said: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Line, field and problem of each."""
    path = written(folder, "clinic.yaml", said)
    lines = [line.removeprefix(f"{path}:").split(": ", 2) for line in message_of(path).splitlines()]
    return [(int(number), field, problem) for number, field, problem in lines]


def test_problems_across_fields_are_told_together_each_at_its_line(tmp_path: Path) -> None:
    keys = [{"table": "people", "columns": ["id"]}, {"table": "visits", "columns": ["day"], "to_columns": ["id"]}]
    said = dataset(first_period="2024", tables=[table(unique_across_periods=True), table("acts", foreign_keys=keys)])
    found = told(tmp_path, said)
    assert [(field, problem.partition(" ")[0]) for _, field, problem in found] == [
        ("first_period", "period"),
        ("tables.0.unique_across_periods", "visits:"),
        ("tables.1.foreign_keys.0.table", "acts:"),
        ("tables.1.foreign_keys.1.columns.0", "acts.day"),
    ]
    lines = (tmp_path / "clinic.yaml").read_text("utf-8").splitlines()
    assert [lines[number - 1].strip() for number, _, _ in found] == [
        "first_period: '2024'", "unique_across_periods: true", "- table: people", "- day",
    ]  # fmt: skip


def test_problems_of_a_table_and_of_its_columns_are_told_together(tmp_path: Path) -> None:
    wrong = column("a", "decimal(5,2)", minimum=3, maximum=1, codes={}, pattern="x")
    other = table("acts", columns=[column("id"), column("ID"), column("b", not_before="c")], event_date="idd")
    found = told(tmp_path, dataset(tables=[table(columns=[wrong]), other]))
    assert [field for _, field, _ in found] == [
        "tables.0.columns.0.minimum", "tables.0.columns.0.codes", "tables.0.columns.0.pattern",
        "tables.1.columns.1.name", "tables.1.event_date", "tables.1.columns.2.not_before",
    ]  # fmt: skip
    assert "the table has no column idd; ID is the nearest" in [problem for *_, problem in found]


def test_a_decimal_without_quotes_is_told_in_one_line(tmp_path: Path) -> None:
    text = written(tmp_path, "whole.yaml", dataset(tables=[])).read_text("utf-8").replace("tables: []", "tables:")
    row = "{name: weight, type: decimal(5,2), description: {en: Weight, fr: Poids}}"
    text += f"  - name: a\n    title: &t {{en: A, fr: A}}\n    description: *t\n    columns:\n      - {row}\n"
    path = written(tmp_path, "clinic.yaml", text)
    line = len(text.splitlines())
    assert message_of(path) == f'{path}:{line}: tables.0.columns.0.type: write "decimal(5,2)" in quotes'


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ("first_period: 2024-01-01", "first_period", "a text is expected: put it in quotes"),
        ("charter_version: 1.0", "charter_version", "a text is expected: put it in quotes"),
        ("id: my-clinic", "id", "expected: 2 to 63 lower-case letters without accents, digits and _, a letter first"),
    ],
)
def test_what_is_no_text_of_the_form_is_told_with_what_to_write(
    tmp_path: Path, change: str, field: str, problem: str
) -> None:
    lines = written(tmp_path, "whole.yaml", dataset()).read_text("utf-8").splitlines()
    text = "\n".join(change if line.startswith(f"{field}:") else line for line in lines)
    assert problem in message_of(written(tmp_path, "clinic.yaml", text))


def test_a_code_without_quotes_is_told(tmp_path: Path) -> None:
    said = dataset(tables=[table(columns=[column("sex", codes={1: "m"})])])
    assert told(tmp_path, said)[0][1:] == ("tables.0.columns.0.codes.1", "a text is expected: put it in quotes")


def test_an_unknown_key_is_answered_with_those_of_its_place(tmp_path: Path) -> None:
    ((_, field, problem),) = told(tmp_path, dataset(tables=[table(columns=[column("a", nulable=False)])]))
    assert field == "tables.0.columns.0.nulable"
    assert problem.startswith("unknown key; those known here, nearest first: nullable, ")


SURVEY = [column("asked", codes={"a": "answer"}), column("said", identifying_when={"asked": ["z"]})]
BARE, LATIN = {"quote": None}, {"encoding": "latin-1"}
CSV = {"kind": "csv", "date": "%d/%m/%Y"}


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"tables": [table(columns=[column("a", synth="gender")])]}, "tables.0.columns.0.synth", "no generator of val"),
        ({"synth": {"generator": "genric"}}, "synth.generator", "no generator of deliveries is called 'genric'"),
        ({"tables": [table(columns=SURVEY)]}, "tables.0.columns.1.identifying_when.asked", "asked is never z"),
        (
            {"tables": [table(columns=[person("a", told_apart_by="b"), column("b", optional=True)])]},
            "tables.0.columns.0.told_apart_by",
            "a delivery may lack: b",
        ),
        (
            {"tables": [table(columns=[column("a", told_apart_by="b"), column("b")])]},
            "tables.0.columns.0.told_apart_by",
            "which this is not",
        ),
        (
            {"format": CSV, "tables": [table(columns=[column("a", "date", sentinels=["1900-01-01"])])]},
            "tables.0.columns.0.sentinels.0",
            "1900-01-01 is a day, but not as a has them, which are %d/%m/%Y",
        ),
        (
            {"format": {"kind": "parquet"}, "tables": [table(columns=[column("a", "date", sentinels=["01/01/1900"])])]},
            "tables.0.columns.0.sentinels.0",
            "01/01/1900 is a day, but not as a has them, which are %Y-%m-%d",
        ),
        (
            {"format": BARE, "tables": [table(columns=[column("a"), column("b", identifying_when={"a": ["x,y"]})])]},
            "tables.0.columns.1.identifying_when.a.0",
            "the delimiter is part of x,y, and there are no quotes",
        ),
        *(
            ({"tables": [table(columns=[column("asked", kind), column("b", identifying_when={"asked": [never]})])]},
             "tables.0.columns.1.identifying_when.asked", f"asked is never {never}, which is no {kind}")
            for kind, never in (
                ("integer", "yes"), ("boolean", "x"), ("string(1)", "12"), ("uuid", "1"), ("date", "NA"),
                ("decimal(3,1)", "1.5x"), ("year", "24"), ("yearmonth", "2024-01"),
            )
        ),
        *(
            ({"tables": [table(columns=[column("a", kind, minimum=low, maximum=high)])]},
             "tables.0.columns.0.minimum", f"no {kind} is between")
            for kind, low, high in (("integer", 1.2, 1.8), ("decimal(3,1)", 0.11, 0.19))
        ),
        *(
            ({"format": form, "tables": [table(columns=[column("a", **{field: said})])]},
             f"tables.0.columns.0.{field}.{place}", f"visits.a: {problem}")
            for form, field, said, place, problem in (
                (BARE, "codes", {"a,b": "x"}, "a,b", "the delimiter is part of a,b, and there are no quotes"),
                (BARE, "sentinels", ["x", "a,b"], 1, "the delimiter is part of a,b, and there are no quotes"),
                (LATIN, "codes", {"œ": "x"}, "œ", "œ cannot be written in latin-1, the encoding of the files"),
                (LATIN, "sentinels", ["œ"], 0, "œ cannot be written in latin-1, the encoding of the files"),
            )
        ),
        *(
            ({"sensitivity": "open", "tables": [table(columns=[column("a", "date", **said)])]}, "sensitivity", told)
            for said, told in (
                ({"role": "quasi_identifier"}, "visits.a has role quasi_identifier, and what is open is delivered as"),
                ({"role": "sensitive"}, "visits.a has role sensitive, and what is open"),
                ({"type": "string(9)", "identifier_type": "rpps"}, "visits.a has identifier_type rpps"),
                ({"tells": "death"}, "visits.a tells death, and what is open is delivered as it is: say pseudonymised"),
            )
        ),
        ({"sensitivity": "open", "tables": [table(columns=[person("a")])]}, "sensitivity", "visits.a has role pers"),
        (
            {"tables": [table(columns=[column("a"), column("b", role="direct_identifier")])]},
            "sensitivity",
            "visits.b is a direct identifier: say nominative",
        ),
    ],
)  # fmt: skip
def test_what_could_never_work_or_hides_a_slip_is_refused(
    tmp_path: Path, change: dict[str, Any], field: str, problem: str
) -> None:
    ((_, where, what),) = told(tmp_path, dataset(**change))
    assert where == field
    assert problem in what


@pytest.mark.parametrize(
    ("said", "is_refused"),
    [
        ({"role": "direct_identifier", "identifier_type": "nir"}, True),
        ({"tells": "commune"}, True),
        ({"role": "direct_identifier"}, False),
        ({"role": "sensitive"}, False),
        ({"role": "quasi_identifier"}, False),
    ],
)
def test_what_is_of_a_person_is_where_an_opposition_reaches_it(
    tmp_path: Path, said: dict[str, Any], is_refused: bool
) -> None:
    """Of the identities that patients point to, the objector's would stay: nothing leads from them to a person."""
    key = {"columns": ["who"], "table": "identities", "to_columns": ["id"]}
    patients = table("patients", columns=[person("nir"), column("who")], foreign_keys=[key])
    identities = table("identities", columns=[column("id"), column("a", **said)], primary_key=["id"])
    content = dataset(sensitivity="nominative", tables=[patients, identities])
    if not is_refused:
        assert descriptor_files.read_datasets([written(tmp_path, "clinic.yaml", content)])
        return
    ((_, where, what),) = told(tmp_path, content)
    assert where == "tables.1.columns.1"
    assert what.startswith("identities.a is of a person, and nothing leads from its table to one")
    led = identities | {"foreign_keys": [{"columns": ["id"], "table": "patients", "to_columns": ["who"]}]}
    owned = identities | {"columns": [*identities["columns"], person("nir")]}
    for each in (led, owned):
        path = written(tmp_path, "clinic.yaml", content | {"tables": [patients, each]})
        assert descriptor_files.read_datasets([path])
    doctor = {"identifier_type": "rpps"}
    pointing = patients | {"columns": [person("nir"), column("who", **doctor)]}
    doctors = identities | {"columns": [column("id", **doctor), column("a", **said)]}
    path = written(tmp_path, "clinic.yaml", content | {"tables": [pointing, doctors]})
    if "tells" in said:
        assert "no opposition reaches its rows" in message_of(path)
    else:
        assert descriptor_files.read_datasets([path])


@pytest.mark.parametrize("sentinel", ["00/00/0000", "99999999", "01/01/1900", "none"])
def test_a_text_that_means_missing_may_be_no_day_at_all(tmp_path: Path, sentinel: str) -> None:
    said = dataset(format=CSV, tables=[table(columns=[column("a", "date", sentinels=[sentinel])])])
    assert descriptor_files.read_datasets([written(tmp_path, "clinic.yaml", said)])


def test_a_descriptor_of_the_package_may_end_in_yml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hospital").mkdir()
    path = written(tmp_path / "hospital", "clinic.yml", dataset(tables=[table(), acts(columns=["id"])]))
    monkeypatch.setattr(descriptor_files, "PACKAGE_SOURCES", tmp_path)
    assert descriptor_paths() == [path]
