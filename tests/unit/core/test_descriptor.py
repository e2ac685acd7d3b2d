"""What a descriptor may say, and how every mistake of every file is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.core.column import Column, Role
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.descriptor_files import added_fingerprint, find_dataset, load_datasets, read_datasets
from hdh_assets.core.errors import DescriptorError, HubError
from hdh_assets.core.home import Home
from hdh_assets.core.periods import check_period

BOTH = {"en": "text", "fr": "texte"}


def column(name: str, type_: str = "string(5)", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "description": BOTH, **more}


def person(name: str, **more: Any) -> dict[str, Any]:
    return column(name, role="person_key", identifier_type="patient", **more)


def table(name: str = "visits", **more: Any) -> dict[str, Any]:
    return {"name": name, "title": BOTH, "description": BOTH, "columns": [column("id"), column("day", "date")], **more}


def acts(**key: Any) -> dict[str, Any]:
    return table("acts", foreign_keys=[{"table": "visits", **key}])


def dataset(dataset_id: str = "clinic", **more: Any) -> dict[str, Any]:
    return {
        "id": dataset_id, "version": 1, "title": BOTH, "description": BOTH,
        "producer": {"id": "clinic", "name": "Clinic", "contact": "x@clinic.example"},
        "owner": "team:clinic", "family": "hospital", "maturity": "pilot", "legal_basis": BOTH,
        "sensitivity": "pseudonymised", "cadence": "monthly", "first_period": "2024-01", "mode": "append",
        "history": BOTH, "charter_version": "1.0", "economic_terms": BOTH, "tables": [table()], **more,
    }  # fmt: skip


def written(folder: Path, name: str, content: dict[str, Any] | str) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False), "utf-8")
    return path


def message_of(*paths: Path) -> str:
    with pytest.raises(DescriptorError) as caught:
        read_datasets(paths)
    return caught.value.message


def test_a_right_descriptor_is_read(tmp_path: Path) -> None:
    found = read_datasets([written(tmp_path, "clinic.yaml", dataset())])
    assert list(found) == ["clinic"]
    assert found["clinic"].by_name["visits"].by_name["day"].duckdb_type == "DATE"


def test_an_unknown_field_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "clinic.yaml", dataset(colour="blue"))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if text.startswith("colour"))
    told = message_of(path)
    assert told.startswith(f"{path}:{line}: colour: unknown key; those known here, nearest first: ")
    assert set(told.rpartition(": ")[2].split(", ")) == set(Dataset.model_fields)


def test_an_unknown_field_of_a_column_is_told_where_it_stands(tmp_path: Path) -> None:
    path = written(tmp_path, "clinic.yaml", dataset(tables=[table(columns=[column("id", lenght=5)])]))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "lenght" in text)
    assert f"{path}:{line}: tables.0.columns.0.lenght:" in message_of(path)


def test_every_error_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    first = written(tmp_path, "a.yaml", dataset("one", family="astrology", cadence="hourly"))
    second = written(tmp_path, "b.yaml", "id: [broken")
    third = written(tmp_path, "c.yaml", "- not a mapping")
    lines = message_of(first, second, third).splitlines()
    assert sum(line.startswith(f"{first}:") for line in lines) == 2
    assert any(line.startswith(f"{second}:") and "yaml:" in line for line in lines)
    assert f"{third}:1: file: a mapping is expected" in lines


def test_two_files_may_not_describe_one_dataset(tmp_path: Path) -> None:
    first, second = written(tmp_path, "a.yaml", dataset()), written(tmp_path, "b.yaml", dataset())
    assert message_of(first, second) == f"{second}:1: id: clinic is already described in {first}"


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("id: caf\xe9".encode("latin-1"))
    assert message_of(path) == f"{path}:1: file: not in UTF-8"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tables": [table(), table("VISITS")]}, "tables declared twice: visits"),
        ({"tables": [table(columns=[column("id"), column("ID")])]}, "columns declared twice: id"),
        (
            {"tables": [table(columns=[column("id"), column("a", aliases=["ID"])])]},
            "names that could mean two columns: id",
        ),
        ({"tables": [table(columns=[column("a", aliases=["Une, deux"])])]}, "the delimiter is part of Une, deux"),
        ({"tables": [table(columns=[column("a", aliases=[" à"])])]}, "no space at either end"),
        ({"tables": [table(primary_key=["number"])]}, "tables.0.primary_key.0: the table has no column number"),
        ({"tables": [table(event_date="night")]}, "the table has no column night"),
        (
            {"tables": [table(columns=[column("answer", identifying_when={"question": ["1"]})])]},
            "the table has no column question",
        ),
        (
            {"tables": [table(foreign_keys=[{"columns": ["id"], "table": "people"}])]},
            "visits: foreign key to unknown table people",
        ),
        (
            {"tables": [table(), acts(columns=["id"], to_columns=["no"])]},
            "acts: foreign key to unknown columns visits.no",
        ),
        (
            {"tables": [table(), acts(columns=["id", "day"], to_columns=["id"])]},
            "acts: foreign key to visits pairs columns of different number",
        ),
        (
            {"tables": [table(), acts(columns=["id"], on_orphan="reject"),
                        table("steps", foreign_keys=[{"table": "steps", "columns": ["id"], "on_orphan": "reject"}])]},
            "steps: a foreign key that leads back to its own table cannot reject orphans",
        ),
        (
            {"tables": [table(foreign_keys=[{"table": "acts", "columns": ["id"]}]),
                        acts(columns=["id"], on_orphan="reject")]},
            "acts: a foreign key that leads back to its own table cannot reject orphans",
        ),
        ({"tables": [table(unique_across_periods=True)]}, "unique_across_periods is for a primary_key in mode append"),
        ({"first_period": "2024"}, "period '2024' is not written like 2024-01 (monthly)"),
        ({"owner": "someone"}, "expected: `team:` and a name"),
        ({"owner": "dim@chu"}, "expected: `team:` and a name"),
        ({"owner": "dim@chu.fr\n"}, "expected: `team:` and a name"),
        ({"tables": []}, "at least 1 item"),
        ({"id": "omop"}, "a name of the hub's own"),
        ({"id": "oppositions"}, "a name of the hub's own"),
        ({"id": "hub"}, "a name of the hub's own"),
        ({"format": {"delimiter": "\n"}}, "delimiter must be"),
        ({"format": {"delimiter": "a"}}, "delimiter must be"),
        ({"format": {"delimiter": "€"}}, "delimiter must be"),
        ({"format": {"delimiter": ";", "quote": "é"}}, "quote must be"),
        ({"format": {"delimiter": '"'}}, "delimiter and quote are the same"),
        ({"format": {"delimiter": ",", "quote": None, "decimal": ","}}, "delimiter and decimal are the same"),
        ({"format": {"delimiter": "/", "quote": None, "date": "%d/%m/%Y"}}, "the delimiter is part of %d/%m/%Y"),
        ({"tables": [table(columns=[column(f"c{n}") for n in range(801)])]}, "at most 800 items"),
        ({"format": {"date": "%Q"}}, "is no form of a day"),
        ({"format": {"date": "%d/%m/%Y %H:%M"}}, "tells hours or an offset"),
        ({"tables": [table(columns=[column("id", "date", format="%Y-%m-%d%z")])]}, "tells hours or an offset"),
        ({"format": {"timestamp": "%z %Y-%m-%d %H:%M"}}, "has an offset before its end"),
        ({"tables": [table(columns=[column("id", "timestamp", format="%a %d %b %Y %z")])]}, "nothing could check it"),
        ({"tables": [table(columns=[column("id", codes={"a\0b": "x"})])]}, "codes: a control character"),
        ({"tables": [table(columns=[column("id", sentinels=["\n"])])]}, "sentinels: a control character"),
        (
            {"tables": [table(columns=[column("a"), column("id", identifying_when={"a": ["\0"]})])]},
            "identifying_when: a control character",
        ),
        ({"version": 2**31}, "less than or equal to 2147483647"),
        ({"format": {"date": "%d/%m"}}, "is no form of a day"),
        ({"format": {"timestamp": ""}}, "is no form of a day"),
        ({"tables": [table(columns=[column("id", "date", format="%H:%M")])]}, "is no form of a day"),
        ({"tables": [table(columns=[column("id", pattern="(?=a)b")])]}, "neither look around nor back"),
        ({"tables": [table(columns=[column("id", pattern="(?x)a")])]}, "invalid perl operator"),
        ({"tables": [table(columns=[column("id", pattern="((a{50}){50}){50}")])]}, "invalid repetition size"),
        ({"tables": [table(columns=[column("id", "date", format="%d/%-b/%Y")])]}, "is no form of a day"),
        ({"tables": [table(columns=[column("id", "date", not_before="start")])]}, "the table has no column start"),
        ({"tables": [table(columns=[column("id"), column("end", "date", not_before="id")])]}, "one kind of date: end"),
        ({"tables": [table(columns=[column("id", not_before="id")])]}, "in a circle: id"),
    ],
)  # fmt: skip
def test_what_does_not_hold_together_is_refused(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    assert problem in message_of(written(tmp_path, "clinic.yaml", dataset(**change)))


@pytest.mark.parametrize("type_", ["text", "decimal", "decimal(5)", "string(a)", "number(3,2)", "integer ", ""])
def test_unknown_types_are_refused(type_: str) -> None:
    with pytest.raises(ValueError, match=r"must be string|decimal needs"):
        Column.model_validate(column("a", type_))


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("string(5)", "VARCHAR"), ("string", "VARCHAR"), ("integer", "BIGINT"), ("decimal(9,2)", "DECIMAL(9,2)"),
        ("float", "DOUBLE"), ("date", "DATE"), ("timestamp", "TIMESTAMP"), ("year", "SMALLINT"),
        ("yearmonth", "VARCHAR"), ("boolean", "BOOLEAN"), ("uuid", "UUID"),
    ],
)  # fmt: skip
def test_types_in_the_lake(type_: str, expected: str) -> None:
    assert Column.model_validate(column("a", type_)).duckdb_type == expected


def test_a_person_key_needs_the_domain_of_its_pseudonym() -> None:
    with pytest.raises(ValueError, match="a person_key needs an identifier_type"):
        Column.model_validate(column("a", role="person_key"))


@pytest.mark.parametrize("tells", ["death", "activity"])
@pytest.mark.parametrize(
    "type_", ["integer", "string(1)", "boolean", "float", "date", "timestamp", "year", "yearmonth"]
)
def test_a_death_and_an_activity_are_told_by_a_day_a_month_or_a_year(tells: str, type_: str) -> None:
    """Of a vital status nothing says whether it lies within the period: extracts failed, or had it empty."""
    told = column("a", type_, tells=tells)
    if type_ in {"date", "timestamp", "year", "yearmonth"}:
        assert Column.model_validate(told).tells == tells
    else:
        with pytest.raises(ValueError, match="role: quasi_identifier"):
            Column.model_validate(told)


def test_a_direct_identifier_never_is_in_the_lake_and_a_pseudonym_is_a_uuid() -> None:
    name = Column.model_validate(column("name", role="direct_identifier", identifier_type="nir"))
    key = Column.model_validate(column("key", role="person_key", identifier_type="nir"))
    assert not name.is_in_lake
    assert not name.is_pseudonymised
    assert key.duckdb_type == "UUID"
    described = Table.model_validate(table(columns=[column("name", role="direct_identifier"), column("id")]))
    assert [c.name for c in described.lake_columns] == ["id"]


def test_models_are_frozen() -> None:
    made = Dataset.model_validate(dataset())
    with pytest.raises(ValueError, match="frozen"):
        made.version = 2  # type: ignore[misc]


def test_an_unknown_dataset_is_answered_with_those_that_exist() -> None:
    with pytest.raises(HubError) as caught:
        find_dataset({"clinic": Dataset.model_validate(dataset())}, "clinik")
    assert caught.value.remedy == "choose one of: clinic"


def test_an_installation_adds_a_dataset_in_its_home(tmp_path: Path) -> None:
    home = Home.resolve(tmp_path)
    home.datasets.mkdir(parents=True)
    path = written(home.datasets, "clinic.yaml", dataset())
    assert {"clinic", "snds_dcir"} <= set(load_datasets(home))
    before = added_fingerprint(home)
    path.rename(path.with_suffix(".yml"))
    assert {"clinic", "snds_dcir"} <= set(load_datasets(home))
    assert added_fingerprint(home) != before


@pytest.mark.parametrize(
    ("period", "cadence"),
    [
        ("2024-02-30", "daily"),
        ("2024-2-3", "daily"),
        ("2024-01-03", "weekly"),
        ("2024-13", "monthly"),
        ("2024-02", "quarterly"),
        ("2024-Q1", "quarterly"),
        ("0000", "yearly"),
        ("24", "yearly"),
    ],
)
def test_a_period_that_no_partition_holds_is_none(period: str, cadence: Any) -> None:
    with pytest.raises(ValueError, match="period"):
        check_period(period, cadence)


@given(st.text(max_size=12), st.sampled_from(["daily", "weekly", "monthly", "quarterly", "yearly"]))
def test_a_period_is_taken_as_it_is_or_refused(text: str, cadence: Any) -> None:
    try:
        taken = check_period(text, cadence)
    except ValueError:
        return
    assert taken == text
    assert text.isascii()


values = st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()))


@given(st.dictionaries(st.sampled_from([*dataset(), "extra"]), values))
def test_whatever_a_file_says_the_answer_is_a_dataset_or_its_problems(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]
) -> None:
    path = written(tmp_path_factory.getbasetemp(), "any.yaml", dataset() | changes)
    problems: list[str] = []
    try:
        read_datasets([path])
    except DescriptorError as error:
        problems = error.message.splitlines()
    assert all(line.startswith(f"{path}:") for line in problems)


def test_roles_are_those_of_the_design() -> None:
    assert {role.value for role in Role} == {
        "direct_identifier", "person_key", "quasi_identifier", "record_key", "sensitive", "payload",
    }  # fmt: skip


def test_a_key_written_twice_is_told_with_its_line(tmp_path: Path) -> None:
    """PyYAML would silently take the second: a column's role could be lost."""
    text = yaml.safe_dump(dataset(), sort_keys=False)
    path = written(tmp_path, "clinic.yaml", text.replace("version: 1\n", "version: 1\nversion: 2\n"))
    assert message_of(path) == f"{path}:3: yaml: the key 'version' is there twice"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("first_period: 2024-02-30", "2024-02-30 is no day"),
        ("first_period: !!int many", "many is no int"),
        ("first_period: " + "[" * 100_000, "lists or mappings more than 100 deep"),
        ("first_period:\n  " + "- " * 100_000 + "x", "lists or mappings more than 100 deep"),
    ],
)
def test_a_value_that_yaml_cannot_make_is_told_with_its_line(tmp_path: Path, said: str, problem: str) -> None:
    path = written(tmp_path, "clinic.yaml", f"id: clinic\n{said}\n")
    assert message_of(path) == f"{path}:{1 if 'deep' in problem else 2}: yaml: {problem}"


@pytest.mark.parametrize(
    ("columns", "more", "problem"),
    [
        ([column("a", role="direct_identifier")], {"primary_key": ["a"]}, "which only the vault holds: a"),
        ([column("a", "date", role="direct_identifier")], {"event_date": "a"}, "which only the vault holds: a"),
        ([column("a", "integer")], {"event_date": "a"}, "event_date must be a date"),
        (
            [column("a", identifying_when={"b": ["1"]}), column("b")],
            {"primary_key": ["a"]},
            "the key would be empty where it is lacking or not for the lake: a",
        ),
        ([column("a", optional=True)], {"primary_key": ["a"]}, "the key would be empty .*: a"),
        ([person("a", sentinels=["0"])], {"primary_key": ["a"]}, "the key would be empty .*: a"),
        ([person("a", told_apart_by="b"), column("b", role="direct_identifier")], {}, "does not hold as given: b"),
        ([person("a", told_apart_by="b"), person("b")], {}, "does not hold as given: b"),
        ([column("a", identifying_when={"b": ["1"]}), column("b", optional=True)], {}, "a delivery may lack: b"),
        ([column("a", role="direct_identifier")], {}, "the lake would hold nothing of the table"),
    ],
)
def test_what_is_asked_of_every_row_is_there(columns: list[dict[str, Any]], more: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Table.model_validate(table(columns=columns, **more))


def test_a_column_that_may_be_lacking_may_be_empty() -> None:
    with pytest.raises(ValueError, match="an optional column is null where a delivery lacks it"):
        Table.model_validate(table(columns=[column("a", optional=True, nullable=False)]))


def test_a_foreign_key_joins_columns_of_one_type() -> None:
    child = table("lines", columns=[column("visit", "integer")], foreign_keys=[{"columns": ["visit"], "table": "visits",
                  "to_columns": ["id"]}])  # fmt: skip
    parent = table(columns=[column("id", "string(9)")])
    with pytest.raises(ValueError, match=r"lines\.visit and visits\.id are of types that never match"):
        Dataset.model_validate(dataset(tables=[parent, child]))


@pytest.mark.parametrize(("mine", "its"), [("patient", None), (None, "patient"), ("patient", "doctor")])
def test_a_foreign_key_joins_pseudonyms_of_one_kind(mine: str | None, its: str | None) -> None:
    child = table("lines", columns=[column("visit", "integer", identifier_type=mine)],
                  foreign_keys=[{"columns": ["visit"], "table": "visits", "to_columns": ["id"]}])  # fmt: skip
    parent = table(columns=[column("id", "integer", identifier_type=its)])
    with pytest.raises(ValueError, match=r"lines\.visit and visits\.id never match .* same identifier_type"):
        Dataset.model_validate(dataset(tables=[parent, child]))


def test_a_code_obeys_the_other_rules_of_its_column_unless_it_means_missing() -> None:
    said = {"codes": {"1": "x", "9": "missing"}, "maximum": 2}
    assert Column.model_validate(column("a", "integer", sentinels=["9"], **said)).maximum == 2
    with pytest.raises(ValueError, match="codes that minimum or maximum exclude: 9"):
        Column.model_validate(column("a", "integer", **said))
    with pytest.raises(ValueError, match="the codes 9 do not match"):
        Column.model_validate(column("a", codes=said["codes"], pattern="[0-3]"))


@pytest.mark.parametrize("bound", [1.15, 2.3, 0.07])
def test_one_value_may_be_the_only_one_allowed(bound: float) -> None:
    assert Column.model_validate(column("a", "decimal(5,2)", minimum=bound, maximum=bound)).minimum == bound
