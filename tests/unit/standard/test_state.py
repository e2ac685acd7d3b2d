"""What is left to standardise, told from the lake alone."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from hdh_assets.core.files import replacing
from hdh_assets.core.home import Home, Settings
from hdh_assets.standard import state
from hdh_assets.standard.state import (
    ensure_state,
    pending,
    put_everyone_in_scope,
    record_done,
    rules_fingerprint,
)
from resources.lake import open_lake
from resources.lake_tables import DeliveryRow, deliveries, ensure_tables, register
from resources.removals import Step, note

FED = {"snds_dcir"}


def test_a_better_description_is_no_other_rule(tmp_path, monkeypatch):
    written = (state.PROJECT / "models" / "omop" / "person.yml").read_text("utf-8")
    model = tmp_path / "models" / "person.yml"
    model.parent.mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: small\n")
    monkeypatch.setattr(state, "PROJECT", tmp_path)

    def digest(text):
        model.write_text(text, "utf-8")
        return state._project_digest.__wrapped__()

    before = digest(written)
    assert digest(written.replace("The person.", "Whose it is.").replace("Année de naissance", "Année")) == before
    assert digest(written.replace("description: Year of birth", "description: The year of birth")) == before
    assert digest(written.replace("data_type: bigint", "data_type: integer")) != before
    assert digest(written.replace("references: location.location_id", "references: place.id")) != before


@pytest.fixture
def engine(tmp_path):
    with open_lake(Home(tmp_path), Settings()).writer() as engine:
        ensure_tables(engine, {})
        ensure_state(engine)
        yield engine


def deliver(engine, number, dataset="snds_dcir"):
    now = datetime(2024, 1, 1, tzinfo=UTC)
    row = DeliveryRow(
        UUID(int=number), "0" * 64, dataset, "2024-01", "p", "current", now, 1, 0, 0, "{}", "[]", "{}", "r", now
    )
    register(engine, row)


def finish(engine, **changes):
    record_done(engine, "rules", replace(pending(engine, FED, "rules"), **changes))


def test_a_file_on_its_way_into_the_project_changes_no_rule(tmp_path, monkeypatch):
    """Or each writing of the sources, which are generated there, might compute every row again."""
    for path in ("models/staging", "macros", "seeds"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "dbt_project.yml").touch()
    monkeypatch.setattr(state, "PROJECT", tmp_path)
    before = state._project_digest.__wrapped__()
    with replacing(tmp_path / "models" / "staging" / "_sources.yml") as file:
        file.write(b"sources: []")
        file.flush()
        assert state._project_digest.__wrapped__() == before
    assert state._project_digest.__wrapped__() == before


def test_a_new_lake_waits_for_its_first_run(engine):
    assert pending(engine, FED, "rules").rules


def test_nothing_is_left_after_a_complete_run(engine):
    deliver(engine, 1)
    finish(engine)
    assert pending(engine, FED, "rules").nothing


def test_a_delivery_that_came_or_went_is_left_to_do(engine):
    finish(engine)
    deliver(engine, 1)
    assert pending(engine, FED, "rules").datasets == ("snds_dcir",)
    finish(engine)
    (row,) = deliveries(engine)
    register(engine, replace(row, status="superseded"))
    assert pending(engine, FED, "rules").datasets == ("snds_dcir",)


def test_a_delivery_that_came_while_the_run_went_on_is_left_to_do(engine):
    deliver(engine, 1)
    left = pending(engine, FED, "rules")
    deliver(engine, 2)
    record_done(engine, "rules", left)
    assert pending(engine, FED, "rules").datasets == ("snds_dcir",)


def test_a_dataset_that_feeds_no_table_leaves_nothing_to_do(engine):
    finish(engine)
    deliver(engine, 1, dataset="other")
    assert pending(engine, FED, "rules").nothing


def test_a_run_that_was_stopped_is_resumed(engine):
    finish(engine)
    put_everyone_in_scope(engine)
    assert pending(engine, FED, "rules").resumed


def test_a_changed_vocabulary_folder_changes_the_rules(tmp_path):
    before = rules_fingerprint(str(tmp_path))
    (tmp_path / "CONCEPT.csv").write_text("concept_id\n")
    assert rules_fingerprint(str(tmp_path)) != before
    assert rules_fingerprint("") == rules_fingerprint("")


def test_a_delivery_that_lost_rows_is_left_to_do_until_a_run_that_began_afterwards(engine):
    deliver(engine, 1)
    finish(engine)
    note(engine, 1, Step.kept_out, [("snds_dcir", str(UUID(int=1)))])
    left = pending(engine, FED, "rules")
    assert (left.datasets, left.oppositions) == (("snds_dcir",), 1)
    finish(engine, oppositions=0)
    assert not pending(engine, FED, "rules").nothing
    finish(engine, oppositions=1)
    assert pending(engine, FED, "rules").nothing


def test_an_opposition_of_somebody_unknown_computes_nothing(engine):
    deliver(engine, 1)
    finish(engine)
    note(engine, 1, Step.kept_out)
    left = pending(engine, FED, "rules")
    assert not left.nothing
    assert not left.concerns_tables


def test_an_empty_vocabulary_folder_is_not_the_absence_of_one(tmp_path):
    assert rules_fingerprint(str(tmp_path)) != rules_fingerprint("")
