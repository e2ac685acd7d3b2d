"""With a folder of Athena files: other concepts, other tables, the same rows; and a clear word when it is of no use."""

import pytest
from athena_folder import Vocabulary
from hospital_hub import standardised_hub, synthetic_export

from hdh_assets.core.errors import ConfigurationError
from tests.concepts import unknown_references

EVENTS = {
    "condition_occurrence": "condition",
    "drug_exposure": "drug",
    "procedure_occurrence": "procedure",
    "measurement": "measurement",
    "observation": "observation",
    "device_exposure": "device",
}
"""CDM tables of coded events and the first word of their columns."""

FILES = {
    "SNOMED": ("conditions", "procedures", "devices", "supplies", "allergies"),
    "LOINC": ("observations",),
    "RxNorm": ("medications",),
    "CVX": ("immunizations",),
}
DOMAINS = {
    "conditions": ("Condition", "Observation"),
    "procedures": ("Procedure", "Measurement"),
    "observations": ("Observation", "Measurement"),
    "allergies": ("Observation",),
    "devices": ("Device",),
    "supplies": ("Device",),
    "medications": ("Drug",),
    "immunizations": ("Drug",),
}
"""Domains given in turn to the codes of a file, so that Athena moves some of them to another table."""

INGREDIENTS = (9_000_001, 9_000_002, 9_000_003)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def hub(standardised, tmp_path_factory):
    """A hub with hospital records, standardised without Athena."""
    export = synthetic_export(tmp_path_factory.mktemp("synth"))
    with standardised_hub(tmp_path_factory.mktemp("hub") / "athena", export, standardised) as hub:
        yield hub


@pytest.fixture(scope="module")
def athena(hub, tmp_path_factory):
    """Concepts for the delivered codes: every fifth not standard, two linked with nothing, one not there.

    Of the concepts that the hub names itself there is one alone, that of a code linked with nothing.
    """
    vocabulary, number = Vocabulary(), 5_000_000
    for name, files in FILES.items():
        given = set()
        for file in files:
            codes = [code for (code,) in hub.rows(f"SELECT DISTINCT code FROM lake.hospital_ehr.{file} ORDER BY 1")]
            for place, code in enumerate(codes):
                number += 10
                if code in given or (file, place) == ("conditions", 2):
                    continue
                given.add(code)
                domain = DOMAINS[file][place % len(DOMAINS[file])]
                if (file, place) in {("conditions", 1), ("supplies", 0)}:
                    vocabulary.add(number, name, code, domain, maps_to=None)
                    for target in _mapped_by_the_hub(hub, code):
                        vocabulary.add(target, name, f"the hub's target of {code}", "Condition")
                elif place % 5 == 4:
                    vocabulary.add(number, name, code, domain, maps_to=number + 1)
                    vocabulary.add(number + 1, name, f"target of {code}", domain)
                else:
                    vocabulary.add(number, name, code, domain)
    _ingredients(vocabulary)
    return vocabulary.write(tmp_path_factory.mktemp("athena"))


def _mapped_by_the_hub(hub, code):
    seed = "lake.staging.concept_map_hospital_ehr"
    found = hub.rows(f"SELECT target_concept_id FROM {seed} WHERE source_code = '{code}' AND target_concept_id <> 0")
    return [target for (target,) in found]


def _ingredients(vocabulary):
    """Every standard drug comes from one ingredient, the first of them from two; vaccines from none."""
    for ingredient in INGREDIENTS:
        vocabulary.add(ingredient, "RxNorm", f"ingredient {ingredient}", "Drug", kind="Ingredient")
    drugs = [
        row for row in vocabulary.rows["CONCEPT"] if row[3] == "RxNorm" and row[5] == "S" and row[4] != "Ingredient"
    ]
    for place, drug in enumerate(drugs):
        vocabulary.descend(drug[0], INGREDIENTS[:2] if place == 0 else [INGREDIENTS[2]])


@pytest.fixture(scope="module")
def both(hub, athena):
    """The tables without Athena, with it, and without it again."""
    before = _tables(hub)
    hub.standardise(athena)
    during = _tables(hub)
    eras = hub.rows(
        "SELECT drug_concept_id, drug_exposure_count, drug_era_start_date, person_id FROM lake.omop.drug_era"
    )
    taken = hub.rows("SELECT drug_concept_id, drug_source_value, person_id FROM lake.omop.drug_exposure")
    used = hub.rows(
        "SELECT device_source_value, device_concept_id, device_source_concept_id FROM lake.omop.device_exposure"
    )
    lost = unknown_references(hub.rows)
    hub.standardise()
    tables = {"before": before, "during": during, "after": _tables(hub)}
    return tables | {"eras": eras, "taken": taken, "used": used, "lost": lost}


def _tables(hub):
    """Rows of each table of events by id, as the columns that no vocabulary decides, and the concept."""
    tables = {}
    for table, entity in EVENTS.items():
        shared = ", ".join(
            [f"{entity}_source_value", "person_id", "provider_id", "visit_occurrence_id", "visit_detail_id"]
        )
        date = {"measurement": "", "observation": "", "procedure_occurrence": ""}.get(table, "_start")
        day = f"{table if table.endswith('exposure') else entity}{date}_date"
        sql = f"SELECT {table}_id, {entity}_concept_id, {shared}, {day} FROM lake.omop.{table}"
        tables[table] = {row[0]: row[1:] for row in hub.rows(sql)}
    return tables


def test_switching_changes_concepts_and_tables_and_no_row(both):
    for switched in ("during", "after"):
        assert _by_id(both[switched]) == _by_id(both["before"])
    assert both["after"] == both["before"]
    moved = [key for key in both["before"]["condition_occurrence"] if key in both["during"]["observation"]]
    concepts = [
        (rows[key][0], both["during"][table][key][0])
        for table, rows in both["before"].items()
        for key in rows.keys() & both["during"][table].keys()
    ]
    assert moved
    assert {now for _, now in concepts} - {then for then, _ in concepts}


def test_nothing_leads_nowhere_although_the_folder_lacks_what_the_hub_names(both, athena):
    assert both["lost"] == set()
    held = {line.split("\t")[0] for line in (athena / "CONCEPT.csv").read_text("utf-8").splitlines()[1:]}
    concepts = {row[0] for rows in both["during"].values() for row in rows.values()} - {0}
    assert {str(concept) for concept in concepts} <= held
    assert {row[0] for rows in both["before"].values() for row in rows.values()} - {0} - {int(one) for one in held}


def _by_id(tables):
    """What is told of each event whatever its table and concept."""
    return {key: row[1:] for rows in tables.values() for key, row in rows.items()}


def test_a_code_that_athena_links_with_nothing_is_as_the_hub_maps_it_or_zero(both, athena):
    unlinked = dict(_unlinked(athena))
    before, during = (
        {concept for concept, code, *_ in both[when]["condition_occurrence"].values() if code in unlinked}
        for when in ("before", "during")
    )
    assert before == during
    assert 0 not in before
    found = {(code, concept, source) for code, concept, source in both["used"] if code in unlinked}
    assert found == {(code, 0, unlinked[code]) for code, _, _ in found}
    assert found


def _unlinked(athena):
    lines = [line.split("\t") for line in (athena / "CONCEPT.csv").read_text("utf-8").splitlines()[1:]]
    linked = {line.split("\t")[0] for line in (athena / "CONCEPT_RELATIONSHIP.csv").read_text("utf-8").splitlines()[1:]}
    return [(line[6], int(line[0])) for line in lines if line[0] not in linked]


def test_drug_eras_are_of_ingredients(both, athena):
    parents = {}
    for line in (athena / "CONCEPT_ANCESTOR.csv").read_text("utf-8").splitlines()[1:]:
        ancestor, descendant, *_ = map(int, line.split("\t"))
        parents.setdefault(descendant, set()).add(ancestor)
    wanted = {}
    for concept, _, person in both["taken"]:
        for ingredient in parents.get(concept, ()):
            wanted[ingredient, person] = wanted.get((ingredient, person), 0) + 1
    found = {}
    for ingredient, count, _, person in both["eras"]:
        found[ingredient, person] = found.get((ingredient, person), 0) + count
    assert found == wanted
    assert {ingredient for ingredient, _ in found} == set(INGREDIENTS)


def test_a_folder_of_no_use_is_refused_and_nothing_changes(hub, both, tmp_path):
    with pytest.raises(ConfigurationError, match=r"CONCEPT\.csv: the file is missing") as refused:
        hub.standardise(tmp_path)
    assert "athena.ohdsi.org" in str(refused.value.remedy)
    assert _tables(hub) == both["before"]
