"""Hospital records, from sealed export to OMOP: nothing lost, nothing invented, whatever the order of the rows."""

import pytest
from hospital_hub import standardised_hub, synthetic_export

from tests.concepts import unknown_references

EVENTS = {
    "condition_occurrence": ("condition_start_date", ("conditions",)),
    "drug_exposure": ("drug_exposure_start_date", ("medications", "immunizations")),
    "procedure_occurrence": ("procedure_date", ("procedures",)),
    "measurement": ("measurement_date", ("observations", "procedures")),
    "observation": ("observation_date", ("observations", "conditions", "procedures", "allergies")),
    "device_exposure": ("device_exposure_start_date", ("devices", "supplies")),
}
"""CDM tables fed with coded events: their date, and the files their rows come from."""

CODED = sorted({file for _, files in EVENTS.values() for file in files})
KEYS = {
    "person": "person_id",
    "visit_occurrence": "visit_occurrence_id",
    "visit_detail": "visit_detail_id",
    "payer_plan_period": "payer_plan_period_id",
    "cost": "cost_id",
    "provider": "provider_id",
    "care_site": "care_site_id",
    "location": "location_id",
    **{table: f"{table}_id" for table in EVENTS},
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module", params=["synthetic", pytest.param("real", marks=pytest.mark.reference)])
def hub(request, standardised, tmp_path_factory):
    """A hub that took the export in and standardised it."""
    if request.param == "synthetic":
        export = synthetic_export(tmp_path_factory.mktemp("synth"))
    else:
        export = request.getfixturevalue("reference") / "OHDSI+dbt-synthea" / "synthea_csv"
    with standardised_hub(tmp_path_factory.mktemp("hub") / request.param, export, standardised) as hub:
        yield hub


def test_every_patient_is_a_person_and_every_death_is_kept(hub):
    assert hub.count("omop.person") == hub.count("hospital_ehr.patients") > 0
    assert hub.rows("SELECT count(*) FROM lake.omop.death") == hub.rows(
        "SELECT count(*) FROM lake.hospital_ehr.patients WHERE deathdate IS NOT NULL"
    )


def test_every_encounter_is_a_detail_of_a_visit_that_exists(hub):
    assert hub.count("omop.visit_detail") == hub.count("hospital_ehr.encounters") > 0
    assert (
        hub.rows(
            "FROM lake.omop.visit_detail ANTI JOIN lake.omop.visit_occurrence USING (visit_occurrence_id, person_id)"
        )
        == []
    )
    assert (
        hub.rows("FROM lake.omop.visit_occurrence ANTI JOIN lake.omop.visit_detail USING (visit_occurrence_id)") == []
    )


def test_a_visit_spans_its_hospital_stays(hub):
    spans = (
        "SELECT visit_occurrence_id AS id, min(visit_detail_start_date) AS first, max(visit_detail_end_date) AS last"
    )
    inside = "first >= visit_start_date AND last <= visit_end_date"
    assert (
        hub.rows(
            f"FROM ({spans} FROM lake.omop.visit_detail WHERE visit_detail_concept_id = 9201 GROUP BY ALL)"
            f" JOIN lake.omop.visit_occurrence ON visit_occurrence_id = id WHERE NOT ({inside})"
        )
        == []
    )


def test_each_source_code_keeps_its_rows(hub):
    """Rows by code over all CDM tables equal rows by code over all files: routing moves a row, it never loses one."""
    delivered = " UNION ALL ".join(f"SELECT code FROM lake.hospital_ehr.{file}" for file in CODED)
    standard = " UNION ALL ".join(
        f"SELECT {table.removesuffix('_occurrence').removesuffix('_exposure')}_source_value FROM lake.omop.{table}"
        for table in EVENTS
    )
    counted = "SELECT code, count(*) FROM ({}) AS t (code) GROUP BY code ORDER BY code"
    assert hub.rows(counted.format(standard)) == hub.rows(counted.format(delivered))


def test_what_feeds_no_table_is_counted(hub):
    unused = ("careplans", "claims", "claims_transactions", "imaging_studies")
    expected = {(file, hub.count(f"hospital_ehr.{file}")) for file in unused}
    found = hub.rows("SELECT rule, dropped_rows FROM lake.staging.int_hub__dropped WHERE dataset = 'hospital_ehr'")
    assert set(found) == {(file, rows) for file, rows in expected if rows}


def test_every_event_lies_in_the_observation_period_of_its_person(hub):
    for table, (start, _) in EVENTS.items():
        inside = f"e.{start} BETWEEN p.observation_period_start_date AND p.observation_period_end_date"
        lost = f"ANTI JOIN lake.omop.observation_period AS p ON p.person_id = e.person_id AND {inside}"
        assert hub.rows(f"SELECT count(*) FROM lake.omop.{table} AS e {lost}") == [(0,)], table


def test_ids_are_unique_positive_and_lead_somewhere(hub):
    assert unknown_references(hub.rows) == set()
    for table, key in KEYS.items():
        assert hub.rows(f"SELECT {key} FROM lake.omop.{table} GROUP BY ALL HAVING count(*) > 1 OR {key} <= 0") == [], (
            table
        )
    for table in EVENTS:
        for other in ("person", "visit_occurrence", "visit_detail", "provider"):
            lost = f"FROM lake.omop.{table} ANTI JOIN lake.omop.{other} USING ({other}_id) WHERE {other}_id IS NOT NULL"
            assert hub.rows(lost) == [], (table, other)
    billed = {"Visit": "visit_occurrence", "Drug": "drug_exposure", "Procedure": "procedure_occurrence"}
    for domain, table in billed.items():
        lost = f"ANTI JOIN lake.omop.{table} ON {table}_id = cost_event_id WHERE cost_domain_id = '{domain}'"
        assert hub.rows(f"FROM lake.omop.cost {lost}") == [], domain


def test_amounts_are_those_of_the_files(hub):
    delivered = " UNION ALL ".join(
        f"SELECT {amount} FROM lake.hospital_ehr.{file}"
        for file, amount in {
            "encounters": "total_claim_cost",
            "medications": "base_cost",
            "immunizations": "base_cost",
            "procedures": "base_cost",
        }.items()
    )
    ((expected,),) = hub.rows(f"SELECT sum(amount) FROM ({delivered}) AS t (amount)")
    ((found,),) = hub.rows("SELECT sum(total_charge) FROM lake.omop.cost")
    assert found == pytest.approx(float(expected))


def test_no_pseudonym_or_record_number_is_a_source_value(hub):
    uuid = "'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'"
    columns = hub.rows(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = 'omop'"
        " AND data_type = 'VARCHAR' AND column_name NOT IN ('care_site_source_value', 'payer_source_value')"
    )
    for table, column in columns:
        assert hub.rows(f'SELECT count(*) FROM lake.omop.{table} WHERE regexp_matches("{column}", {uuid})') == [(0,)], (
            table,
            column,
        )


def test_the_same_rows_in_another_order_give_the_same_tables(hub):
    """Last of the module: it delivers the next month, shuffled, to the same hub."""
    before = {table: _sorted(hub, table) for table in KEYS}
    hub.deliver("2024-02", shuffle=11)
    hub.standardise()
    for table, rows in before.items():
        assert _sorted(hub, table) == rows, table


def _sorted(hub, table):
    return hub.rows(f"FROM lake.omop.{table} ORDER BY ALL")
