"""What accompanies an extract, and what takes its place: papers in words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.keys import LakeTable
from hdh_assets.extracts.deliverable import deliverable, table_words
from hdh_assets.extracts.documents import DataFile, readme
from hdh_assets.extracts.persons import Persons, tells_of_persons
from hdh_assets.extracts.plan import TablePlan
from hdh_assets.extracts.withdrawal import Cause, Withdrawal
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.states import End
from resources.releases import Release
from tests.extract_hub import dossier

RELEASE = Release(3, 12, datetime(2026, 11, 29, tzinfo=UTC), "abc", {}, {})


def permit(conditions: str = "") -> Permit:
    asked = dossier("pilot").model_dump()
    common = {name: asked[name] for name in ("project", "title", "tables", "population", "precision")}
    days = {"period": {"from": "2019-01-01", "to": "2019-12-31"}, "granted_on": "2026-11-01", "expires": "2030-12-31"}
    return Permit.model_validate(common | days | {"number": 1, "dossier_version": 1, "conditions": conditions})


def written(persons: Persons, conditions: str = "") -> str:
    files = [DataFile("data/omop.person.parquet", 1, "0", "omop.person", 389)]
    return readme(permit(conditions), RELEASE, 2, files, persons)


def test_an_extract_about_nobody_counts_no_persons() -> None:
    assert "Persons: 389." in written(Persons(389, 0))
    assert "Persons: 389" not in written(Persons(389, 0, are_asked_about=False))


def test_what_binds_a_team_is_in_both_languages() -> None:
    english, french = written(Persons(389, 0), "Never with insurers").split("# En français")
    assert "What binds you" in english
    assert "Ce qui vous engage" in french
    assert english.count("Never with insurers") == french.count("Never with insurers") == 1
    assert "du 01/01/2019 au 31/12/2019" in french
    assert "le 31/12/2030 au plus tard" in french
    assert "de 1 à 10 personnes" in french


def test_every_deliverable_column_is_described_in_both_languages() -> None:
    datasets = load_datasets()
    for table in deliverable(datasets):
        words = table_words(datasets, table)
        assert words.description, table
        assert words.description_fr, table
        lacking = [name for name, said in words.columns.items() if not (said.description and said.description_fr)]
        assert not lacking, table
        same = [name for name, said in words.columns.items() if said.description == said.description_fr]
        assert not [name for name in same if len(words.columns[name].description.split()) > 2], table


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("omop.person", True),
        ("omop.cost", True),
        ("omop.care_site", False),
        ("omop.location", False),
        ("snds_dcir.er_prs_f", True),
        ("snds_dcir.er_pha_f", True),
        ("hospital_ehr.organizations", False),
        ("commune_context.commune_indicators", False),
    ],
)
def test_a_table_tells_of_persons_when_its_rows_are_theirs(table: str, expected: bool) -> None:
    schema, _, name = table.partition(".")
    assert tells_of_persons(TablePlan(LakeTable(schema, name), ()), load_datasets()) is expected


@pytest.mark.parametrize("reason", ["", "never published"])
def test_the_end_of_a_permit_is_a_day_as_each_language_writes_it(reason: str) -> None:
    notice = Withdrawal(Cause.permit_ended, End(date(2026, 11, 30), reason)).notice
    french, english = notice.split("\n---\n")
    assert "le 30/11/2026." in french
    assert "2026-11-30" in english
    assert "2026-11-30" not in french


def test_what_follows_an_opposition_is_not_said_to_differ_by_it_alone() -> None:
    french, english = Withdrawal(Cause.opposition).notice.split("\n---\n")
    assert "livré ou corrigé depuis" in french
    assert "delivered or corrected since" in english
