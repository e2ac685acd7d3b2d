"""When the hub has something to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hdh_assets.catalog.due import Due, LakeState, due, should_wait
from resources.lake_tables import loading

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
LATER = [NOW + timedelta(microseconds=1), NOW + timedelta(days=1)]
LOADED = {"a": frozenset({loading("1" * 64, NOW)}), "b": frozenset({loading("2" * 64, NOW)})}
DONE = LakeState(LOADED, LOADED, LOADED, is_behind=False, rules="r", released_rules="r", newest_at=NOW)


def left(state: LakeState) -> Due | None:
    return due(state, entries=["a", "b"])


def test_nothing_is_due_when_release_and_catalogue_show_the_lake() -> None:
    assert left(DONE) is None


def test_nothing_is_due_in_an_empty_hub_whatever_the_rules() -> None:
    assert left(LakeState({}, {}, {}, is_behind=True, rules="r", released_rules=None, newest_at=None)) is None


def test_only_changed_datasets_are_described_again() -> None:
    found = left(replace(DONE, current=LOADED | {"b": frozenset({loading("3" * 64, NOW)})}))
    assert found is not None
    assert found.datasets == ("b",)


def test_a_delivery_loaded_again_is_due_under_another_token() -> None:
    again = [left(replace(DONE, current=LOADED | {"b": frozenset({loading("2" * 64, at)})})) for at in LATER]
    assert [found.datasets for found in again if found] == [("b",), ("b",)]
    assert len({found.token for found in again if found}) == 2


def test_an_entry_that_a_failed_run_left_out_is_due() -> None:
    found = left(replace(DONE, described={"a": LOADED["a"]}))
    assert found is not None
    assert found.datasets == ("b",)


def test_no_entry_is_missed_of_a_dataset_that_nothing_describes() -> None:
    is_delivered = replace(DONE, current=LOADED | {"c": frozenset({loading("3" * 64, NOW)})})
    assert left(is_delivered) is not None
    assert left(replace(is_delivered, released=is_delivered.current)) is None


def test_changed_rules_concern_every_dataset_and_change_the_token() -> None:
    first, second = (left(replace(DONE, is_behind=True, rules=rules)) for rules in ("r", "s"))
    assert first is not None
    assert second is not None
    assert first.datasets == ("a", "b")
    assert first.token != second.token


def test_a_release_under_other_rules_is_followed_by_another_even_when_the_tables_are_up_to_date() -> None:
    """Stopped between the standardisation and its release."""
    assert left(replace(DONE, rules="s")) is not None
    assert left(replace(DONE, rules="s", released_rules=None)) is None, "made before releases told"


def test_it_waits_for_deliveries_under_way_but_not_for_ever() -> None:
    assert should_wait(DONE, intake_under_way=True, now=NOW + timedelta(minutes=1))
    assert not should_wait(DONE, intake_under_way=False, now=NOW + timedelta(minutes=1))
    assert not should_wait(DONE, intake_under_way=True, now=NOW + timedelta(minutes=11))


def test_a_retired_release_is_followed_by_another() -> None:
    found = left(replace(DONE, is_retired=True, oppositions=2))
    again = left(replace(DONE, is_retired=True, oppositions=3))
    assert found is not None
    assert again is not None
    assert found.token != again.token
