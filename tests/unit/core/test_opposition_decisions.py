"""Recording and withdrawing oppositions: decisions on plain values."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.opposition import (
    Book,
    PersonKey,
    Place,
    beside,
    canonical,
    identifier_types,
    is_doubtful,
    is_unlike,
    plain_rank,
    reached,
    record,
    restored,
    spellings,
    with_findings,
    withdraw,
)
from tests.integration.intake_world import column, dataset, text

NOW = datetime(2024, 1, 1, tzinfo=UTC)
ONE, TWO, THREE = (PersonKey("snds_nir", f"00000000-0000-0000-0000-00000000000{n}") for n in (1, 2, 3))


def recorded(*keys: PersonKey, datasets: tuple[str, ...] = ()) -> Book:
    return record(Book(), [(key,) for key in keys], "snds_nir", datasets, NOW)[0]


def test_oppositions_are_numbered_and_one_revision_holds_a_whole_file_of_them() -> None:
    book = recorded(ONE, TWO)
    assert [entry.number for entry in book.standing] == [1, 2]
    assert book.revision == 1
    assert record(book, [(THREE,)], "snds_nir", (), NOW)[1][0][0].number == 3


def test_recording_the_same_person_again_changes_nothing() -> None:
    book = recorded(ONE)
    again, found = record(book, [(ONE,), (ONE,)], "snds_nir", (), NOW)
    assert again is book
    assert [(entry.number, is_new) for entry, is_new in found] == [(1, False), (1, False)]


def test_the_same_person_twice_in_one_file_is_one_opposition() -> None:
    book, found = record(Book(), [(ONE,), (ONE,)], "snds_nir", (), NOW)
    assert len(book.entries) == 1
    assert [is_new for _, is_new in found] == [True, False]


def test_an_opposition_to_some_data_does_not_cover_one_to_all() -> None:
    book = recorded(ONE, datasets=("snds_dcir",))
    assert not record(book, [(ONE,)], "snds_nir", ["snds_dcir"], NOW)[1][0][1]
    wider, found = record(book, [(ONE,)], "snds_nir", (), NOW)
    assert found[0][1]
    assert [entry.datasets for entry in wider.standing] == [("snds_dcir",), ()]
    assert beside(wider, 1) == (2,)
    assert beside(withdraw(wider, 1, NOW), 2) == ()


def test_an_opposition_recorded_before_another_of_the_person_still_covers() -> None:
    book = recorded(ONE, datasets=("snds_dcir",))
    both, _ = record(book, [(ONE,)], "snds_nir", ["hospital_ehr"], NOW)
    again, found = record(both, [(ONE,)], "snds_nir", ["snds_dcir"], NOW)
    assert again is both
    assert [(entry.number, is_new) for entry, is_new in found] == [(1, False)]


def test_a_twin_is_another_person() -> None:
    book, _ = record(Book(), [(PersonKey("snds_psa", ONE.pseudonym, "1"),)], "snds_psa", (), NOW)
    assert record(book, [(PersonKey("snds_psa", ONE.pseudonym, "2"),)], "snds_psa", (), NOW)[1][0][1]


def test_who_changes_their_mind_is_forgotten_once_the_rows_are_back() -> None:
    place = Place("snds_dcir", "2024-01", "d")
    book = with_findings(recorded(ONE, TWO), {1: {THREE}}, {1: [place]})
    book = withdraw(book, 1, NOW)
    assert (book.revision, [entry.number for entry in book.standing]) == (2, [2])
    assert [entry.places for entry in book.to_restore] == [(place,)]
    done = restored(book, {1})
    assert done.to_restore == ()
    assert (done.find(1).keys, done.find(1).places) == ((), ())
    with pytest.raises(RefusedError, match="was withdrawn on 2024-01-01"):
        withdraw(done, 1, NOW)
    assert record(done, [(ONE,)], "snds_nir", (), NOW)[1][0][0].number == 3


def test_what_is_not_back_is_remembered_until_it_is() -> None:
    places = [Place("snds_dcir", "2024-01", "d"), Place("snds_dcir", "2024-02", "e")]
    book = withdraw(with_findings(recorded(ONE), {}, {1: places}), 1, NOW)
    half = restored(book, {1}, {("snds_dcir", "e")})
    assert [entry.places for entry in half.to_restore] == [(places[1],)]
    assert half.find(1).keys == book.find(1).keys
    assert restored(half, {1}).to_restore == ()


def test_nothing_to_withdraw_is_refused() -> None:
    with pytest.raises(RefusedError, match="no opposition 7"):
        withdraw(recorded(ONE), 7, NOW)


def test_findings_known_already_change_nothing() -> None:
    book = with_findings(recorded(ONE), {1: {TWO}}, {})
    assert with_findings(book, {1: {TWO, ONE}}, {}) is book


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("1 85 05 99 123 456 71", "1850599123456"),
        ("185059912345671", "1850599123456"),
        ("1850599123456", "1850599123456"),
        ("1 85 05 2a 123 456", "185052A123456"),
        ("999-12-3456", "999123456"),
    ],
)
def test_a_nir_is_the_same_however_it_is_written(written: str, bare: str) -> None:
    assert canonical(written, "nir", "string") == bare
    assert spellings(written, "nir", ["string"])[-1] == bare


def test_other_identifiers_are_taken_to_the_letter() -> None:
    assert spellings("ab 12", "ehr_patient", ["string"]) == ("ab 12",)
    assert spellings("007", "ehr_patient", ["string"]) == ("007",)


def test_numbers_and_uuids_are_found_however_they_are_written() -> None:
    assert spellings("007", "patient", ["integer", "string"]) == ("007", "7")
    assert spellings("+7", "patient", ["integer"]) == ("+7", "7")
    assert spellings("x", "patient", ["integer", "uuid"]) == ("x",)
    assert spellings("0F8F", "patient", ["uuid"]) == ("0F8F", "0f8f")
    bare, whole = "0F8FAD5BD9CB469FA16570867728950E", "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert spellings(bare, "patient", ["uuid"]) == (bare, whole)


def test_ranks_are_compared_without_leading_zeros() -> None:
    assert [plain_rank(text) for text in ("1", " 01 ", "", "A")] == ["1", "1", "", "A"]


def test_the_kinds_of_identifier_are_those_the_descriptors_declare() -> None:
    known = identifier_types(load_datasets().values())
    assert known == known | {"nir": False, "snds_nir": False, "snds_psa": True, "ehr_patient": False}
    assert "practitioner" not in known


def with_key(number: str) -> str:
    """The number and its key, worked out another way than the hub does: the two together leave nothing by 97."""
    digits = number.replace("2A", "19").replace("2B", "18")
    return number + next(f"{key:02}" for key in range(1, 98) if (int(digits) + key) % 97 == 0)


@pytest.mark.parametrize("number", ["1850578006084", "2850520024001", "185052A024001", "285052B024001"])
def test_a_digit_copied_wrong_shows_in_the_key(number: str) -> None:
    right = with_key(number)
    assert not is_doubtful(right)
    assert not is_doubtful(f"{right[0]} {right[1:3]} {right[3:5]} {right[5:]}".lower())
    assert is_doubtful(right[:4] + str((int(right[4]) + 1) % 10) + right[5:])
    assert is_doubtful(right[:7] + "X" + right[8:])
    assert not is_doubtful(number), "without a key there is none to compare"
    assert is_doubtful(number[:-1]), "a digit was lost"
    assert is_doubtful("hello")


@pytest.mark.parametrize(
    ("kind", "one_of_them", "none"),
    [
        ("snds_psa", "A" * 17, "A" * 18),
        ("snds_nir", "A" * 17, "A" * 40),
        ("ehr_patient", "0d4e8b0c-6cde-4f2b-8a52-000000000001", "0d4e8b0c-6cde-4f2b-8a52-0000000000012"),
    ],
)
def test_an_identifier_that_no_dataset_can_deliver_is_told_from_one_that_can(
    kind: str, one_of_them: str, none: str
) -> None:
    datasets = load_datasets().values()
    assert not is_unlike(one_of_them, kind, datasets)
    assert is_unlike(none, kind, datasets)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("nir", ("hospital_ehr",)),
        ("ehr_patient", ("hospital_ehr",)),
        ("snds_nir", ("snds_beneficiaries", "snds_dcir")),
        ("snds_psa", ("snds_beneficiaries", "snds_dcir")),
    ],
)
def test_an_identifier_reaches_the_datasets_it_leads_to(kind: str, found: tuple[str, ...]) -> None:
    assert sorted(reached(kind, load_datasets().values())) == list(found)


def persons(name: str, *kinds: str, nir: bool = True, told_apart: str = "") -> Dataset:
    """A dataset of persons known by these kinds of identifier, and by their NIR in the vault."""
    keys = [
        column(kind.upper(), "string(9)", role="person_key", identifier_type=kind)
        | ({"told_apart_by": "RANK"} if kind == told_apart else {})
        for kind in kinds
    ]
    vaulted = [column("NIR", "string(15)", role="direct_identifier", identifier_type="nir")] if nir else []
    rank = [column("RANK", "integer")] if told_apart else []
    named = {"name": "PERSONS", "title": text("Persons"), "description": text("Persons")}
    return dataset(id=name, tables=[named | {"columns": [*keys, *vaulted, *rank]}])


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("nir", ["alpha", "beta", "gamma"]),
        ("a_patient", ["alpha"]),
        ("b_patient", ["beta", "gamma"]),
        ("insured", ["beta", "gamma"]),
    ],
)
def test_what_the_vault_has_beside_an_identifier_leads_no_further(kind: str, found: list[str]) -> None:
    """The acknowledgement told that what a person of one hospital gave was in use in another, by a NIR nobody gave."""
    datasets = [persons("alpha", "a_patient"), persons("beta", "b_patient", "insured"), persons("gamma", "insured")]
    assert sorted(reached(kind, datasets)) == found


def test_what_twins_share_is_learnt_from_no_row_that_does_not_tell_them_apart() -> None:
    ranked = persons("ranked", "insured", nir=False, told_apart="insured")
    datasets = [persons("alpha", "a_patient", "insured"), ranked]
    assert reached("nir", datasets) == ("alpha",)
    assert reached("a_patient", datasets) == ("alpha",)
    assert sorted(reached("insured", datasets)) == ["alpha", "ranked"]
