"""SNDS deliveries with a folder of Athena files: an event goes where the domain of its standard concept says."""

import pytest
from athena_folder import Vocabulary
from snds_hub import Both

from hdh_assets.standard.runner import standardise
from tests.concepts import unknown_references

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

TABLES = {
    "condition_occurrence": "condition",
    "drug_exposure": "drug",
    "procedure_occurrence": "procedure",
    "measurement": "measurement",
    "observation": "observation",
    "device_exposure": "device",
}
"""CDM tables of events and the first word of their columns."""

CONCEPTS = (
    ("CCAM", "ABCD001", 7_000_001, "Measurement"),
    ("CCAM", "ABCD002", 7_000_002, "Condition"),
    ("BDPM", "3541848", 7_000_003, "Device"),
    ("CIM10", "E11", 201826, "Observation"),
    ("CIM10", "C50", 4112853, "Procedure"),
)
"""Vocabulary, code, standard concept (of illnesses, that of the hub's map) and its domain, none that of the source."""


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The rows by table, without the folder, with it and without it again."""
    both = Both(tmp_path_factory.mktemp("snds"), seed=20240402)
    vocabulary = Vocabulary()
    for place, (name, code, concept, domain) in enumerate(CONCEPTS):
        vocabulary.add(place + 1, name, code, "Metadata", maps_to=concept)
        vocabulary.add(concept, "SNOMED", f"target of {code}", domain)
    vocabulary.descend(CONCEPTS[0][2], [CONCEPTS[1][2]])
    folder = vocabulary.write(tmp_path_factory.mktemp("athena"))
    found = [_rows(both)]
    for vocab_dir in (str(folder), ""):
        result = standardise(both.world.home, both.world.settings.model_copy(update={"vocab_dir": vocab_dir}))
        assert [node.name for node in result.nodes if not node.is_good] == []
        assert unknown_references(both.rows) == set()
        found.append(_rows(both))
    return found


def _rows(both):
    """By table and number of the event: its code and concepts, and what no vocabulary decides."""
    found = {}
    for table, entity in TABLES.items():
        rows = both.rows(
            f"SELECT {table}_id, {entity}_source_value, {entity}_concept_id, {entity}_source_concept_id, person_id,"
            f" visit_occurrence_id, provider_id, {entity}_type_concept_id FROM lake.omop.{table}"
        )
        found[table] = {row[0]: row[1:] for row in rows}
        assert len(found[table]) == len(rows)
    return found


def test_events_move_to_the_table_of_their_concept_and_no_row_comes_or_goes(tables):
    before, during, after = tables
    assert after == before
    assert _whatever_the_concept(during) == _whatever_the_concept(before)
    assert sum(map(len, during.values())) == sum(map(len, before.values()))
    for _, code, concept, domain in CONCEPTS:
        [table] = [table for table, entity in TABLES.items() if entity == domain.lower()]
        moved = {key for key, row in during[table].items() if row[1] == concept}
        assert moved, code
        assert not moved & before[table].keys()
        assert not [row for name in TABLES.keys() - {table} for row in during[name].values() if row[1] == concept]


def _whatever_the_concept(tables):
    return {key: (row[0], *row[3:]) for rows in tables.values() for key, row in rows.items()}
