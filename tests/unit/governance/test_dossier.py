"""The dossier file: every error at its line, and the template that `hdh project new` writes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.extracts.deliverable import deliverable, needed
from hdh_assets.governance.dossier import TEMPLATE, DossierError, check_dossier, not_filled_in, read_dossier
from tests.extract_hub import write_dossier

KNOWN = {"omop.person": frozenset({"person_id"}), "omop.condition_occurrence": frozenset({"person_id"})}
TODAY = date(2024, 1, 1)


def test_the_template_is_a_dossier_that_could_be_filed() -> None:
    found = check_dossier(TEMPLATE, deliverable(load_datasets()), TODAY)
    assert found.project == "my_project"


def test_every_field_of_the_model_is_explained_in_the_template() -> None:
    text = TEMPLATE.read_text("utf-8")
    for field in type(read_dossier(TEMPLATE)).model_fields:
        assert f"\n{field}:" in text, field


def test_what_nobody_wrote_is_found(tmp_path: Path) -> None:
    assert not_filled_in(read_dossier(write_dossier(tmp_path / "written.yaml", "pilot"))) == []
    begun = tmp_path / "begun.yaml"
    words = TEMPLATE.read_text("utf-8").replace("Write the title in plain words", "Asthma of children")
    begun.write_text(words, "utf-8")
    assert not_filled_in(read_dossier(begun)) == ["purpose", "public_interest", "controller", "team"]


def test_every_error_is_told_with_its_line(tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot")
    text = path.read_text("utf-8").replace("project: pilot\n", "project: Not A Name\nsurprise: 1\n")
    text = text.replace("to: '2019-12-31'", "to: '2018-12-31'")
    path.write_text(text, "utf-8")
    with pytest.raises(DossierError) as error:
        read_dossier(path)
    lines = text.splitlines()
    told = error.value.message.splitlines()
    assert len(told) == 3
    assert any(t.startswith(f"{path}:{lines.index('project: Not A Name') + 1}: project:") for t in told)
    assert any(t.startswith(f"{path}:{lines.index('surprise: 1') + 1}: surprise:") for t in told)
    assert any(t.startswith(f"{path}:{lines.index('period:') + 1}: period:") and "before" in t for t in told)


def test_a_list_is_not_called_short_for_what_is_wrong_inside(tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot")
    path.write_text(path.read_text("utf-8").replace("name: A. Body", "name: A"), "utf-8")
    with pytest.raises(DossierError) as error:
        read_dossier(path)
    (told,) = error.value.message.splitlines()
    assert "team.0.name: " in told


def test_tables_and_columns_the_hub_does_not_have_are_all_named(tmp_path: Path) -> None:
    tables = {"omop.person": ["person_id", "shoe_size"], "omop.dreams": "all", "omop.condition_occurrence": "all"}
    path = write_dossier(tmp_path / "d.yaml", "pilot", tables=tables)
    with pytest.raises(DossierError) as error:
        check_dossier(path, KNOWN, TODAY)
    assert "omop.person has no column shoe_size" in error.value.message
    assert "the hub delivers no table omop.dreams" in error.value.message


def test_a_refusal_names_what_is_nearest_and_the_command_that_tells_all(tmp_path: Path) -> None:
    tables = {"omop.condition_occurence": "all", "omop.person": ["gender_concept", "shoe_size"]}
    path = write_dossier(tmp_path / "d.yaml", "pilot", tables=tables)
    with pytest.raises(DossierError) as error:
        check_dossier(path, deliverable(load_datasets()), TODAY)
    table, near, far = error.value.message.splitlines()
    assert "; nearest: omop.condition_occurrence, " in table
    assert "; nearest: gender_concept_id, " in near
    assert "; it has birth_datetime, care_site_id, " in far
    assert far.endswith("more")
    assert "`hdh project tables TABLE`" in str(error.value.remedy)


@pytest.mark.parametrize(
    ("asked_for", "wanting"),
    [
        (["cost"], "omop.condition_occurrence or omop.device_exposure or "),
        (["cost", "person", "death", "care_site"], "omop.condition_occurrence or "),
        (["cost", "drug_exposure"], None),
        (["note_nlp", "visit_occurrence"], "omop.note"),
        (["note_nlp", "note"], None),
        (["episode_event", "note"], "omop.episode"),
        (["episode_event", "episode"], None),
    ],
)
def test_what_belongs_to_rows_of_other_tables_is_asked_for_with_them(
    tmp_path: Path, asked_for: list[str], wanting: str | None
) -> None:
    """Alone it would be granted and delivered without a row."""
    known = deliverable(load_datasets())
    path = write_dossier(tmp_path / "d.yaml", "pilot", tables={f"omop.{table}": "all" for table in asked_for})
    if wanting is None:
        assert check_dossier(path, known, TODAY, needed(known))
    else:
        with pytest.raises(DossierError, match=rf"tables\.omop\.{asked_for[0]}: .* ask also for {wanting}") as error:
            check_dossier(path, known, TODAY, needed(known))
        assert len(error.value.message.splitlines()) == 1


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("omop.person", "omop.person has no column code"),
        ("omop.dreams", "the hub delivers no table omop.dreams"),
        ("scales.readings", "scales.readings cannot say who is meant; ask for a table of OMOP"),
    ],
)
def test_persons_are_designated_by_tables_of_omop(tmp_path: Path, table: str, problem: str) -> None:
    population = {"persons_with": [{"table": table, "column": "code", "values": ["1"]}]}
    path = write_dossier(tmp_path / "d.yaml", "pilot", population=population)
    known = KNOWN | {"scales.readings": frozenset({"person_id", "code"})}
    with pytest.raises(DossierError, match=problem) as error:
        check_dossier(path, known, TODAY)
    assert len(error.value.message.splitlines()) == 1


@pytest.mark.parametrize(
    ("column", "is_right"),
    [
        ("condition_source_value", True),
        ("condition_concept_id", True),
        ("condition_start_date", False),
        ("person_id", False),
        ("care_site_source_value", False),
        ("value_source_value", False),
    ],
)
def test_persons_are_designated_by_codes_alone(tmp_path: Path, column: str, is_right: bool) -> None:
    table = "omop.condition_occurrence"
    path = write_dossier(tmp_path / "d.yaml", "pilot", population={"persons_with": [asked(table, column)]})
    known = KNOWN | {table: KNOWN[table] | {"person_id", column}}
    if is_right:
        assert check_dossier(path, known, TODAY)
    else:
        with pytest.raises(DossierError, match=rf"population\.persons_with\.0\.column: {column} holds no codes"):
            check_dossier(path, known, TODAY)


def asked(table: str, column: str, *values: str) -> dict[str, object]:
    return {"table": table, "column": column, "values": list(values or ["1"])}


def test_a_star_alone_is_no_beginning_of_a_code(tmp_path: Path) -> None:
    table, column = "omop.condition_occurrence", "condition_source_value"
    path = write_dossier(tmp_path / "d.yaml", "pilot", population={"persons_with": [asked(table, column, "*")]})
    with pytest.raises(DossierError, match=r"population\.persons_with\.0\.values: `\*` alone is everybody"):
        check_dossier(path, KNOWN | {table: KNOWN[table] | {column}}, TODAY)


def test_a_star_within_a_code_is_refused(tmp_path: Path) -> None:
    population = {"persons_with": [asked("omop.condition_occurrence", "condition_source_value", "E1*", "E10*")]}
    path = write_dossier(tmp_path / "d.yaml", "pilot", population=population)
    assert read_dossier(path)
    path.write_text(path.read_text("utf-8").replace("E10*", "E*0"), "utf-8")
    with pytest.raises(DossierError, match="at the end of a code alone"):
        read_dossier(path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0000001374004", "0000001374004"),
        ("0126", "0126"),
        ("1:30", "1:30"),
        ("1_208", "1_208"),
        ("0x1F", "0x1F"),
        ("no", "no"),
        ("1374004", "1374004"),
        ("'1.50'", "1.50"),
        ("E11*", "E11*"),
    ],
)
def test_codes_are_what_was_written(tmp_path: Path, written: str, meant: str) -> None:
    population = {"persons_with": [{"table": "omop.person", "column": "person_id", "values": ["CODE"]}]}
    path = write_dossier(tmp_path / "d.yaml", "pilot", population=population)
    path.write_text(path.read_text("utf-8").replace("CODE", written), "utf-8")
    assert read_dossier(path).population.persons_with[0].values == (meant,)


@pytest.mark.parametrize("written", ["1.50", "true", "2024-01-31", "~", "1e5"])
def test_codes_that_would_be_something_else_are_refused(tmp_path: Path, written: str) -> None:
    population = {"persons_with": [{"table": "omop.person", "column": "person_id", "values": ["CODE"]}]}
    path = write_dossier(tmp_path / "d.yaml", "pilot", population=population)
    path.write_text(path.read_text("utf-8").replace("CODE", written), "utf-8")
    with pytest.raises(DossierError, match="write codes in quotes"):
        read_dossier(path)


def test_a_retention_date_in_the_past_is_refused(tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot", retention_until="2023-12-31")
    with pytest.raises(DossierError, match="not in the future") as error:
        check_dossier(path, KNOWN, TODAY)
    assert "dataset" not in str(error.value), "no table is wrong"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tables": {"omop.person": "some"}}, "tables.omop.person: `all` is expected, or a list of columns"),
        ({"tables": {"omop.person": []}}, "tables.omop.person: `all` is expected, or a list of columns"),
        ({"tables": {"omop.person": ["person id"]}}, "tables.omop.person: person id is no name of a column"),
        ({"tables": {"omop.person": ["all"], "OMOP.Person": "all"}}, "tables: omop.person is there twice"),
        ({"tables": {"omop.person": ["a" * 500]}}, f"tables.omop.person: {'a' * 100} is no name of a column"),
        ({"tables": {}}, "tables: at least one table is expected"),
        ({"period": {"from": "31/03/2024", "to": "2024-12-31"}}, "period.from: a day is expected, written as 2024-03"),
        ({"retention_until": 20301231}, "retention_until: a day is expected, written as 2024-03-31"),
        ({"team": []}, "team: at least one person is expected"),
        ({"controller": {"name": "CHU", "contact": "the dpo"}}, "controller.contact: an electronic address is"),
        ({"project": "My Project"}, "project: 2 to 40 lower-case letters"),
        ({"title": "short"}, "title: at least 10 characters are expected"),
    ],
)
def test_what_is_expected_is_told_once_and_in_words(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    said = yaml.safe_load(write_dossier(tmp_path / "d.yaml", "pilot").read_text("utf-8")) | changes
    (tmp_path / "d.yaml").write_text(yaml.safe_dump(said), "utf-8")
    with pytest.raises(DossierError) as error:
        read_dossier(tmp_path / "d.yaml")
    (line,) = error.value.message.splitlines()
    assert told in line


def test_a_name_of_a_table_without_what_it_is_in_is_told_so(tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot")
    path.write_text(path.read_text("utf-8").replace("omop.person", "person"), "utf-8")
    with pytest.raises(DossierError, match=r"a table is written with what it is in, as omop\.person"):
        read_dossier(path)


def test_names_of_tables_and_columns_may_be_in_capitals(tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot")
    written = path.read_text("utf-8").replace("omop.person: all", "OMOP.PERSON: [PERSON_ID, Shoe_Size]")
    path.write_text(written, "utf-8")
    assert read_dossier(path).tables["omop.person"] == ("person_id", "shoe_size")
    line = next(n for n, text in enumerate(written.splitlines(), start=1) if "OMOP.PERSON" in text)
    with pytest.raises(DossierError, match=f":{line}: tables.omop.person: omop.person has no column shoe_size"):
        check_dossier(path, KNOWN, TODAY)


def test_a_folder_is_told_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(DossierError, match="file: is a folder"):
        read_dossier(tmp_path)
    with pytest.raises(DossierError, match=r"cannot be read \(No such file or directory\)"):
        read_dossier(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("condition_concept_id", "diabetes", "no number of a concept, as 201826; codes of the source are in cond"),
        ("condition_concept_id", "2018*", "no number of a concept"),
        ("condition_concept_id", "0201826", "no number of a concept"),
        ("condition_concept_id", "201826", ""),
        ("condition_source_value", "", "or is empty"),
        ("condition_source_value", " E11", "begins or ends with a blank"),
        ("condition_source_value", "E11*", ""),
    ],
)
def test_a_code_that_nobody_could_have_is_refused(tmp_path: Path, column: str, value: str, told: str) -> None:
    condition = {"table": "omop.condition_occurrence", "column": column, "values": [value]}
    path = write_dossier(tmp_path / "d.yaml", "pilot", population={"persons_with": [condition]})
    known = deliverable(load_datasets())
    if not told:
        assert check_dossier(path, known, TODAY)
    else:
        with pytest.raises(DossierError, match=rf"population\.persons_with\.0\.values: .*{told}"):
            check_dossier(path, known, TODAY)


def test_no_sex_at_all_is_not_both(tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot", population={"sex": []})
    with pytest.raises(DossierError, match=r"population\.sex: names nobody"):
        check_dossier(path, KNOWN, TODAY)


def test_data_are_not_kept_beyond_any_period(tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot", retention_until="9999-12-31")
    with pytest.raises(DossierError, match="retention_until: is after 2999-12-31"):
        check_dossier(path, KNOWN, TODAY)


def in_title(text: str) -> dict[str, object]:
    return {"title": text}


def in_team(text: str) -> dict[str, object]:
    return {"team": [{"name": text, "affiliation": "CHU"}]}


def in_codes(text: str) -> dict[str, object]:
    return {"population": {"persons_with": [asked("omop.condition_occurrence", "condition_source_value", text)]}}


@pytest.mark.parametrize(
    ("changes", "field"),
    [(in_title, "title"), (in_team, r"team\.0\.name"), (in_codes, r"population\.persons_with\.0\.values\.0")],
)
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A study \x1b]0;of\x07 asthma", r"nobody sees is in it \(U\+001B\)"),
        ("A study \x9b31mof asthma", r"U\+009B"),
        ("A study of \u202eamhtsa", r"U\+202E"),
        ("A study\n# of asthma", "a line break is in it"),
        ("A study" * 100, "is longer than 300 characters"),
    ],
)
def test_a_text_that_steers_who_reads_it_is_refused(
    tmp_path: Path, changes: Callable[[str], dict[str, object]], field: str, text: str, told: str
) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot", **changes(text))
    with pytest.raises(DossierError, match=rf"{field}: .*{told}") as error:
        check_dossier(path, deliverable(load_datasets()), TODAY)
    assert len(error.value.message.splitlines()) == 1


def test_the_purpose_may_be_of_several_lines(tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot", purpose="To learn\nabout asthma\n\tand more")
    assert check_dossier(path, KNOWN, TODAY)
    path = write_dossier(tmp_path / "d.yaml", "pilot", purpose="To learn \x1b[31mabout asthma")
    with pytest.raises(DossierError, match="purpose: a character that nobody sees"):
        check_dossier(path, KNOWN, TODAY)


@pytest.mark.parametrize("period", [("0001-01-01", "2024-12-31"), ("2024-01-01", "9999-12-31")])
def test_a_period_without_a_day_before_or_after_it_is_refused(tmp_path: Path, period: tuple[str, str]) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot", period=dict(zip(("from", "to"), period, strict=True)))
    with pytest.raises(DossierError, match="period: is not within 1800-01-01 and 2999-12-31"):
        check_dossier(path, KNOWN, TODAY)


@pytest.mark.parametrize("text", ["", "- a list", "project: [unclosed", "\x00"])
def test_a_file_that_is_no_dossier_is_told_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(DossierError, match=str(path)):
        read_dossier(path)


def test_a_dossier_may_come_by_a_pipe_which_is_read_once(tmp_path: Path) -> None:
    path = write_dossier(tmp_path / "d.yaml", "pilot", tables={"omop.dreams": "all"})
    written, reading = path.read_bytes(), tmp_path / "pipe"
    os.mkfifo(reading)
    threading.Thread(target=reading.write_bytes, args=(written,), daemon=True).start()
    line = written.decode().splitlines().index("  omop.dreams: all") + 1
    with pytest.raises(DossierError, match=f"{reading}:{line}: tables.omop.dreams: the hub delivers no table"):
        check_dossier(reading, KNOWN, TODAY)


def test_a_file_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(DossierError, match="/dev/zero:1: file: larger than 4 MiB"):
        read_dossier(Path("/dev/zero"))
