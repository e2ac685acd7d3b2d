"""A fifth dataset, described in one file, gets valid synthetic deliveries without a line of code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import HubError
from hdh_assets.sources.intake.row_rules import checks, valid_sql
from hdh_assets.sources.synth.generate import generate
from tests.unit.sources.synth.deliveries import DATASETS, broken, digests, made, one, opened

BOTH = {"en": "text", "fr": "texte"}


def column(name: str, type_: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "description": BOTH, **more}


PERSON = {"role": "person_key", "identifier_type": "registry_nir", "nullable": False}
STAGE: dict[str, Any] = {
    "name": "stage", "title": BOTH, "description": BOTH, "primary_key": ["tumour", "step"],
    "foreign_keys": [{"columns": ["tumour"], "table": "tumour", "to_columns": ["number"], "on_orphan": "refuse"}],
    "columns": [
        column("tumour", "string(12)", nullable=False),
        column("step", "integer", nullable=False, minimum=1),
        column("size", "decimal(6,2)", minimum=0, maximum=90),
        column("seen", "timestamp"),
        column("sure", "boolean"),
    ],
}  # fmt: skip
TUMOUR: dict[str, Any] = {
    "name": "tumour", "title": BOTH, "description": BOTH, "primary_key": ["number"],
    "columns": [
        column("number", "string(12)", nullable=False, pattern="T[0-9]{6}-[AB]"),
        column("nir", "string(15)", **PERSON),
        column("surname", "string", role="direct_identifier", synth="last_name"),
        column("found", "date", nullable=False),
        column("side", "string(1)", codes={"L": "left", "R": "right", "é": "other"}),
        column("score", "float", minimum=-1, maximum=1),
        column("year", "year"),
        column("month", "yearmonth"),
        column("key", "uuid"),
        column("note", "string(40)"),
        column("born", "date", synth="birth_date"),
    ],
}  # fmt: skip
REGISTRY: dict[str, Any] = {
    "id": "tumours", "version": 1, "title": BOTH, "description": BOTH,
    "producer": {"id": "registry", "name": "Registry", "contact": "x@registry.example"},
    "owner": "team:registry", "family": "registry", "maturity": "pilot", "legal_basis": BOTH,
    "sensitivity": "nominative", "cadence": "yearly", "first_period": "2020", "mode": "append", "history": BOTH,
    "charter_version": "1.0", "economic_terms": BOTH, "synth": {"rows_per_person": 0.5}, "tables": [STAGE, TUMOUR],
    "format": {"kind": "csv", "delimiter": "|", "encoding": "latin-1", "decimal": ",", "date": "%d.%m.%Y"},
}  # fmt: skip


def delivered(out: Path, description: dict[str, Any] = REGISTRY, persons: int = 400) -> tuple[Path, Dataset]:
    dataset = Dataset.model_validate(description)
    everything = DATASETS | {dataset.id: dataset}
    (folder,) = generate(everything, [dataset.id], persons=persons, first="2023", last="2023", seed=3, out=out)
    return folder, dataset


def test_every_value_obeys_the_descriptor(tmp_path: Path) -> None:
    folder, dataset = delivered(tmp_path)
    con = opened(folder, dataset)
    assert one(con, "SELECT count(*) FROM tumour") == one(con, "SELECT count(DISTINCT number) FROM tumour") == 200
    assert broken(con, dataset) == {}


def test_rows_lead_to_the_rows_their_foreign_keys_name(tmp_path: Path) -> None:
    con = opened(*delivered(tmp_path))
    assert one(con, "SELECT count(*) FROM stage") == 200
    assert one(con, "SELECT count(*) FROM stage ANTI JOIN tumour ON tumour = number") == 0


def test_a_missing_value_appears_only_where_one_may_be(tmp_path: Path) -> None:
    con = opened(*delivered(tmp_path))
    assert 0 < one(con, "SELECT count(*) FROM tumour WHERE side IS NULL") < 40
    assert one(con, "SELECT count(*) FROM tumour WHERE found IS NULL OR nir IS NULL") == 0


def test_files_are_in_the_declared_encoding_and_dialect(tmp_path: Path) -> None:
    folder, _ = delivered(tmp_path)
    raw = (folder / "tumour.csv").read_bytes()
    assert raw.startswith(b"number|nir|")
    assert "é".encode("latin-1") in raw
    assert "é".encode() not in raw


def test_the_persons_are_those_of_every_other_dataset(tmp_path: Path) -> None:
    nir = column("nir", "string(15)", **PERSON | {"identifier_type": "nir"})
    description = REGISTRY | {"tables": [TUMOUR | {"columns": [TUMOUR["columns"][0], nir]}]}
    registry = opened(*delivered(tmp_path, description, persons=200))
    (folder,) = made(tmp_path, "hospital_ehr", persons=200, seed=3)
    ehr = opened(folder, DATASETS["hospital_ehr"])
    known = {ssn for (ssn,) in ehr.execute("SELECT ssn FROM patients").fetchall()}
    seen = [nir for (nir,) in registry.execute("SELECT DISTINCT nir FROM tumour").fetchall()]
    assert 0.4 < sum(nir in known for nir in seen) / len(seen) < 0.8


def test_parquet_is_written_when_the_producer_delivers_parquet(tmp_path: Path) -> None:
    table = STAGE | {"foreign_keys": [], "columns": STAGE["columns"][:3]}
    folder, _ = delivered(tmp_path, REGISTRY | {"format": {"kind": "parquet"}, "tables": [table]})
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "stage.parquet"]
    assert one(duckdb.connect(), f"SELECT count(*) FROM '{folder / 'stage.parquet'}'") == 100


def test_a_pattern_too_narrow_for_a_key_is_told(tmp_path: Path) -> None:
    columns = [column("x", "string", nullable=False, pattern="[ab]"), column("nir", "string(15)", **PERSON)]
    table = {"name": "a", "title": BOTH, "description": BOTH, "primary_key": ["x"], "columns": columns}
    with pytest.raises(HubError, match="fewer than 200 different values"):
        delivered(tmp_path, REGISTRY | {"tables": [table]})


KEYS = {
    "person and rank": (["p", "rank"], [column("rank", "integer", nullable=False, minimum=1, maximum=3)], 60),
    "person and day": (["p", "day"], [column("day", "date", nullable=False)], 300),
    "person and code": (["p", "code"], [column("code", "string(1)", codes={"a": "A", "b": "B"})], 40),
    "a short text": (["p", "text"], [column("text", "string(1)")], 200),
    "two short ones": (["p", "a", "b"], [column("a", "string(1)", codes={"x": "X"}), column("b", "boolean")], 40),
    "a number of its own": (["id"], [column("id", "integer")], 300),
    "person and year": (["p", "y"], [column("y", "year", nullable=False, synth="period_year")], 20),
    "year and number": (["y", "id"], [column("y", "year", synth="period_year"), column("id", "integer")], 300),
}  # fmt: skip


@pytest.mark.parametrize("case", KEYS)
def test_rows_are_told_apart_by_their_key(tmp_path: Path, case: str) -> None:
    key, columns, rows = KEYS[case]
    own = {"name": "a", "title": BOTH, "description": BOTH, "primary_key": key}
    described = own | {"columns": [column("p", "string(17)", **PERSON), *columns]}
    form = REGISTRY | {"tables": [described], "synth": {"rows_per_person": 15}}
    folder, dataset = delivered(tmp_path, form, persons=20)
    con = opened(folder, dataset)
    assert one(con, "SELECT count(*) FROM a") == rows
    assert one(con, f"SELECT count(DISTINCT ({', '.join(key)})) FROM a WHERE COLUMNS(*) IS NOT NULL") == rows
    assert broken(con, dataset) == {}


def test_rows_that_hang_on_others_are_told_apart_by_their_key(tmp_path: Path) -> None:
    to_tumour = [{"columns": ["tumour"], "table": "tumour", "to_columns": ["number"]}]
    name = column("tumour", "string(12)", nullable=False)
    same = {"title": BOTH, "description": BOTH, "foreign_keys": to_tumour}
    one_each = {"name": "one_each", "primary_key": ["tumour"], "columns": [name], **same}
    sides = column("side", "string(1)", nullable=False, codes={"L": "left", "R": "right"})
    two_each = {"name": "two_each", "primary_key": ["tumour", "side"], "columns": [name, sides], **same}
    number, before = column("id", "integer", nullable=False), column("before", "integer")
    to_itself = [{"columns": ["before"], "table": "chain", "to_columns": ["id"]}]
    chain = {"name": "chain", "primary_key": ["id"], "columns": [number, before], **same, "foreign_keys": to_itself}
    form = REGISTRY | {"tables": [TUMOUR, one_each, two_each, chain], "synth": {"rows_per_person": 0.05}}
    con = opened(*delivered(tmp_path, form, persons=400))
    assert one(con, "SELECT count(*) FROM tumour") == one(con, "SELECT count(DISTINCT tumour) FROM one_each") == 20
    assert one(con, "SELECT count(*) FROM one_each") == 20
    assert (
        one(con, "SELECT count(*) FROM two_each")
        == one(con, "SELECT count(DISTINCT (tumour, side)) FROM two_each")
        == 20
    )
    assert one(con, "SELECT count(*) FROM chain") == 100
    assert one(con, "SELECT count(*) FROM chain a ANTI JOIN chain b ON a.before = b.id") == 0


def test_numbers_stay_within_the_digits_of_their_type(tmp_path: Path) -> None:
    columns = [
        column("x", "decimal(3,2)"),
        column("y", "integer", maximum=-5),
        column("far", "integer", minimum=1e17, maximum=1e30),
        column("signed", "integer", minimum=-1, maximum=2_147_483_647),
        column("z", "decimal(4,0)", minimum=200),
        column("wide", "decimal(18,2)", minimum=1e15, maximum=9.99e15),
        column("wider", "decimal(38,2)", maximum=1e35),
        column("narrow", "decimal(4,2)", synth="between 90 200"),
    ]
    table = {"name": "a", "title": BOTH, "description": BOTH, "columns": columns}
    folder, dataset = delivered(tmp_path, REGISTRY | {"tables": [table]})
    assert broken(opened(folder, dataset), dataset) == {}


@pytest.mark.parametrize(
    ("type_", "more"),
    [
        ("string(12)", {"role": "person_key", "identifier_type": "nir"}),
        ("integer", {"role": "person_key", "identifier_type": "snds_psa"}),
        ("uuid", {"role": "person_key", "identifier_type": "ins"}),
    ],
)
def test_a_column_that_cannot_hold_its_value_is_told(tmp_path: Path, type_: str, more: dict[str, Any]) -> None:
    columns = [column("p", "string(17)", **PERSON), column("x", type_, **more)]
    table = {"name": "a", "title": BOTH, "description": BOTH, "columns": columns}
    with pytest.raises(HubError, match="column x"):
        delivered(tmp_path, REGISTRY | {"tables": [table]})


def test_a_text_is_made_no_longer_than_its_column(tmp_path: Path) -> None:
    short = column("x", "string(3)", synth="last_name")
    table = {"name": "a", "title": BOTH, "description": BOTH, "columns": [column("p", "string(17)", **PERSON), short]}
    folder, dataset = delivered(tmp_path, REGISTRY | {"tables": [table]})
    con = opened(folder, dataset)
    assert broken(con, dataset) == {}
    assert one(con, "SELECT max(length(x)) FROM a") == 3


def test_a_dialect_may_quote_with_an_apostrophe(tmp_path: Path) -> None:
    folder, dataset = delivered(tmp_path, REGISTRY | {"format": {"delimiter": ";", "quote": "'"}})
    assert broken(opened(folder, dataset), dataset) == {}


def test_communes_come_once_a_year_with_their_names(tmp_path: Path) -> None:
    first, second = made(tmp_path, "commune_context", first="2023", last="2024")
    con = opened(second, DATASETS["commune_context"])
    assert one(con, "SELECT count(*) FROM commune_indicators WHERE code_insee = '2A004' AND libelle = 'Ajaccio'") == 1
    assert one(con, "SELECT count(*) FROM commune_indicators WHERE annee <> '2024'") == 0
    assert digests(first) != digests(second)


KINDS = ("string(6)", "integer", "decimal(7,3)", "float", "date", "timestamp", "year", "yearmonth", "boolean", "uuid")
columns = st.lists(st.sampled_from(KINDS), min_size=1, max_size=8)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns, st.sampled_from([".", ","]), st.sampled_from(["utf-8", "cp1252"]), st.sampled_from(["append", "snapshot"])
)
def test_any_description_gives_rows_that_obey_it(
    tmp_path: Path, kinds: list[str], decimal: str, encoding: str, mode: str
) -> None:
    described = [column(f"c{n}", kind, nullable=n > 0) for n, kind in enumerate(kinds)]
    table = {
        "name": "a",
        "title": BOTH,
        "description": BOTH,
        "columns": [column("p", "string(17)", **PERSON), *described],
    }
    form = {"delimiter": ";", "decimal": decimal, "encoding": encoding}
    folder, dataset = delivered(tmp_path, REGISTRY | {"tables": [table], "format": form, "mode": mode}, persons=20)
    assert broken(opened(folder, dataset), dataset) == {}


@pytest.mark.parametrize(
    ("type_", "more"),
    [
        ("string(10)", {}),
        ("string", {}),
        ("uuid", {}),
        ("integer", {}),
        ("string(12)", {"pattern": "[A-Z]{2}[0-9]{10}"}),
    ],
)
def test_a_person_key_is_written_as_the_descriptor_says(tmp_path: Path, type_: str, more: dict[str, Any]) -> None:
    tumour = TUMOUR | {"columns": [column("nir", type_, **PERSON, **more), *TUMOUR["columns"][:1]]}
    folder, dataset = delivered(tmp_path, REGISTRY | {"tables": [tumour]}, persons=50)
    table, present = dataset.tables[0], {"nir", "number"}
    rule = valid_sql([check for check in checks(table, present, dataset.format) if check.column == "nir"])
    with duckdb.connect() as engine:
        texts = f"read_csv('{folder}/*.csv', delim = '|', header = true, all_varchar = true)"
        typed = f'SELECT *, TRY_CAST(nir AS {"UUID" if type_ == "uuid" else "BIGINT"}) AS "nir=" FROM {texts}'
        rows, good, persons = engine.execute(
            f"SELECT count(*), count(*) FILTER ({rule}), count(DISTINCT nir) FROM ({typed})"
        ).fetchall()[0]
    assert rows == good > 10
    assert persons > 10


@pytest.mark.parametrize("type_", ["date", "timestamp"])
def test_an_end_is_made_not_before_its_start(tmp_path: Path, type_: str) -> None:
    ordered = [
        column("last", type_, not_before="middle"),
        column("middle", type_, not_before="first"),
        column("first", type_),
    ]
    tumour = TUMOUR | {"columns": [*TUMOUR["columns"], *ordered]}
    folder, dataset = delivered(tmp_path, REGISTRY | {"tables": [tumour]}, persons=200)
    assert broken(opened(folder, dataset), dataset) == {}


@pytest.mark.parametrize("is_finer", [True, False])
def test_an_end_without_seconds_is_not_before_its_start(tmp_path: Path, is_finer: bool) -> None:
    forms = ["%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"]
    first, last = forms if is_finer else reversed(forms)
    ordered = [column("last", "timestamp", not_before="first", format=last), column("first", "timestamp", format=first)]
    tumour = TUMOUR | {"columns": [*TUMOUR["columns"], *ordered]}
    folder, dataset = delivered(tmp_path, REGISTRY | {"tables": [tumour]}, persons=800)
    assert broken(opened(folder, dataset), dataset) == {}


def test_what_means_missing_is_made_of_no_row(tmp_path: Path) -> None:
    columns = [
        column("side", "string(1)", codes={"L": "left", "9": "not said"}, sentinels=["9"]),
        column("grade", "integer", minimum=0, maximum=3, sentinels=["0", "NA"]),
        column("seen", "date", sentinels=["01.01.2023", "02.01.2023"]),
        column("share", "decimal(2,1)", minimum=0, maximum=1, sentinels=["0,50"]),
    ]
    tumour = TUMOUR | {"columns": [*TUMOUR["columns"][:2], *columns]}
    con = opened(*delivered(tmp_path, REGISTRY | {"tables": [tumour]}, persons=800))
    made = "side = '9' OR grade = '0' OR seen IN ('01.01.2023', '02.01.2023') OR share IN ('0,5', '0.5')"
    assert one(con, f"SELECT count(*) FROM tumour WHERE {made}") == 0
    assert one(con, "SELECT count(DISTINCT (side, grade)) FROM tumour WHERE share IS NOT NULL") > 2


@pytest.mark.parametrize("key", [column("number", "string(12)"), column("number", "integer", maximum=99_999_999)])
def test_keys_that_are_unique_in_all_periods_are_others_in_each(tmp_path: Path, key: dict[str, Any]) -> None:
    tumour = TUMOUR | {"columns": [key | {"nullable": False}, *TUMOUR["columns"][1:]], "unique_across_periods": True}
    dataset = Dataset.model_validate(REGISTRY | {"tables": [tumour]})
    everything = DATASETS | {dataset.id: dataset}
    folders = generate(everything, [dataset.id], persons=400, first="2021", last="2024", seed=3, out=tmp_path)
    keys = [number for folder in folders for (number,) in opened(folder, dataset).execute(
        "SELECT number FROM tumour").fetchall()]  # fmt: skip
    assert len(set(keys)) == len(keys) == 4 * 200
