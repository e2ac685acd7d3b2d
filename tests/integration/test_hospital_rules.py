"""Two hospital records written by hand, and every CDM row that OHDSI's rules make of them."""

import pytest
from hospital_hub import standardised_hub
from hospital_rows import PAYER, write_export

from tests.concepts import unknown_concepts_of_seeds, unknown_references

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def hub(standardised, tmp_path_factory):
    """A hub that took the two records in."""
    export = write_export(tmp_path_factory.mktemp("export"))
    with standardised_hub(tmp_path_factory.mktemp("hub") / "rules", export, standardised) as hub:
        yield hub


def texts(hub, columns, table, where="true"):
    """These columns of a CDM table as texts, in order."""
    shown = ", ".join(f"CAST({column} AS VARCHAR)" for column in columns.split())
    return hub.rows(f"SELECT {shown} FROM lake.omop.{table} WHERE {where} ORDER BY ALL")


def test_visits_roll_up_stays_and_what_happens_in_them(hub):
    assert texts(
        hub, "visit_start_datetime visit_end_datetime visit_concept_id visit_source_value", "visit_occurrence"
    ) == [
        ("2020-01-01 10:00:00", "2020-01-01 10:15:00", "9202", "wellness"),
        ("2020-01-10 22:00:00", "2020-01-10 23:30:00", "9203", "emergency"),
        ("2020-01-10 23:30:00", "2020-01-15 12:00:00", "9201", "inpatient"),
        ("2020-01-12 10:00:00", "2020-01-12 10:15:00", "5083", "virtual"),
        ("2020-02-01 10:00:00", "2020-02-01 10:00:00", "9203", "urgentcare"),
        ("2020-03-17 08:00:00", "2020-03-17 08:15:00", "9202", "ambulatory"),
    ]
    assert hub.rows(
        "SELECT visit_detail_source_value, visit_source_value, visit_detail_end_datetime::VARCHAR,"
        " visit_detail_type_concept_id"
        " FROM lake.omop.visit_detail JOIN lake.omop.visit_occurrence USING (visit_occurrence_id, person_id)"
        " ORDER BY visit_detail_start_datetime"
    ) == [
        ("wellness", "wellness", "2020-01-01 10:15:00", 32827),
        ("emergency", "emergency", "2020-01-10 23:30:00", 32827),
        ("inpatient", "inpatient", "2020-01-13 09:00:00", 32827),
        ("ambulatory", "inpatient", "2020-01-12 09:15:00", 32827),
        ("virtual", "virtual", "2020-01-12 10:15:00", 32827),
        ("inpatient", "inpatient", "2020-01-15 12:00:00", 32827),
        ("urgentcare", "urgentcare", "2020-02-01 10:00:00", 32827),
        ("ambulatory", "ambulatory", "2020-03-17 08:15:00", 32827),
    ]


def test_every_concept_and_domain_of_a_table_or_a_seed_is_known(hub):
    assert unknown_references(hub.rows) == set()
    assert unknown_concepts_of_seeds(hub.rows) == set()


def test_persons_and_deaths(hub):
    assert texts(
        hub, "birth_datetime gender_concept_id race_concept_id ethnicity_concept_id person_source_value", "person"
    ) == [
        ("1950-07-01 00:00:00", "8507", "0", "38003563", None),
        ("1980-02-29 00:00:00", "8532", "8527", "38003564", None),
    ]
    assert texts(
        hub, "death_date death_datetime death_type_concept_id cause_concept_id cause_source_value", "death"
    ) == [("2020-03-10", "2020-03-10 00:00:00", "32817", "4329847", "22298006")]


def test_diagnoses_are_routed_by_domain_and_an_unknown_code_is_kept(hub):
    columns = "condition_start_datetime condition_end_date condition_source_value condition_concept_id"
    assert texts(hub, columns, "condition_occurrence") == [
        ("2020-01-01 00:00:00", "2020-01-09", "195662009", "4112343"),
        ("2020-01-01 00:00:00", None, "999999", "0"),
        ("2020-01-02 00:00:00", None, "195662009", "4112343"),
        ("2020-02-09 00:00:00", None, "195662009", "4112343"),
    ]
    assert texts(
        hub, "condition_era_start_date condition_era_end_date condition_occurrence_count", "condition_era"
    ) == [
        ("2020-01-01", "2020-01-09", "2"),
        ("2020-02-09", "2020-02-10", "1"),
    ]


def test_drugs_keep_their_dates_and_both_copies_of_one_prescription(hub):
    columns = "drug_source_value drug_exposure_end_datetime verbatim_end_date days_supply drug_type_concept_id quantity"
    assert texts(hub, columns, "drug_exposure") == [
        ("140", "2020-01-01 10:00:00", "2020-01-01", None, "32827", None),
        ("313782", "2020-01-08 10:00:00", "2020-01-08", "7", "32838", None),
        ("313782", "2020-01-08 10:00:00", "2020-01-08", "7", "32838", None),
        ("665078", "2020-01-01 10:00:00", None, None, "32838", None),
    ]
    assert len(texts(hub, "drug_exposure_id", "drug_exposure")) == len(
        set(texts(hub, "drug_exposure_id", "drug_exposure"))
    )


def test_results_answers_acts_and_allergies(hub):
    columns = "measurement_source_value measurement_datetime measurement_time value_as_number unit_concept_id"
    assert texts(hub, columns, "measurement") == [
        ("171207006", "2020-01-01 10:05:00", "10:05:00", None, None),
        ("8302-2", "2020-01-01 10:00:00", "10:00:00", "170.5", "8582"),
        ("8302-2", "2020-01-01 10:01:00", "10:01:00", None, "8582"),
    ]
    columns = "observation_source_value observation_concept_id value_as_concept_id qualifier_source_value"
    assert texts(hub, columns, "observation", "qualifier_source_value IS NOT NULL") == [
        ("111088007", "4008070", None, "allergy"),
        ("1191", "0", "1112807", "intolerance"),
    ]
    columns = "observation_source_value observation_datetime value_as_number value_as_string qualifier_source_value"
    assert texts(hub, columns, "observation") == [
        ("111088007", "2020-01-01 00:00:00", None, None, "allergy"),
        ("1191", "2020-01-02 00:00:00", None, None, "intolerance"),
        ("160903007", "2020-01-01 00:00:00", None, None, None),
        ("72166-2", "2020-01-01 10:00:00", None, "Never smoker", None),
        ("QALY", "2020-02-03 00:00:00", "39.5", None, None),
    ]
    assert texts(hub, "procedure_source_value procedure_datetime procedure_end_datetime", "procedure_occurrence") == [
        ("430193006", "2020-01-01 10:00:00", "2020-01-01 10:10:00"),
        ("430193006", "2020-01-12 00:00:00", "2020-01-13 00:00:00"),
    ]
    columns = "device_source_value device_exposure_start_datetime device_exposure_end_date quantity unique_device_id"
    assert texts(hub, columns, "device_exposure") == [
        ("705643001", "2020-01-11 08:00:00", None, "1", None),
        ("705643001", "2020-01-13 00:00:00", None, "1", None),
        ("713779008", "2020-01-12 00:00:00", "2020-01-12", "24", None),
    ]


def test_what_is_billed_and_who_pays(hub):
    assert texts(hub, "cost_domain_id total_charge total_cost paid_by_payer paid_by_patient", "cost") == [
        ("Drug", "140.52", "140.52", None, None),
        ("Drug", "5.0", "5.0", "2.0", "3.0"),
        ("Drug", "5.0", "5.0", "2.0", "3.0"),
        ("Drug", "7.0", "7.0", "2.0", "5.0"),
        ("Measurement", "20.0", "20.0", None, None),
        ("Procedure", "50.0", "50.0", None, None),
        *[("Visit", "100.0", "100.0", "60.0", "40.0")] * 8,
    ]
    columns = "payer_plan_period_start_date payer_plan_period_end_date payer_source_value plan_source_value"
    assert texts(hub, columns, "payer_plan_period") == [("2019-06-01", "2020-05-31", PAYER, "Medicare")]


def test_places_care_sites_and_professionals(hub):
    assert texts(hub, "address_1 city state zip county", "location") == [
        ("1 Main Street", "Boston", "MA", "02155", None),
        (None, "Boston", "MA", "02155", "Suffolk County"),
    ]
    columns = "specialty_concept_id gender_concept_id provider_name"
    assert texts(hub, columns, "provider", "specialty_source_value = 'GENERAL PRACTICE'") == [
        ("38004446", "8532", None)
    ]
    assert texts(hub, "observation_period_start_date observation_period_end_date", "observation_period") == [
        ("2020-01-01", "2020-02-09"),
        ("2020-03-17", "2020-03-17"),
    ]


def test_a_release_tells_which_codes_of_which_list_are_mapped(hub):
    counts = "coded_rows, mapped_rows, codes, mapped_codes"
    coverage = "lake.staging.int_hub__vocabulary_coverage"
    assert hub.rows(f"SELECT source_vocabulary_id, {counts} FROM {coverage} ORDER BY ALL") == [
        ("CVX", 1, 1, 1, 1),
        ("LOINC", 4, 3, 3, 2),
        ("RxNorm", 4, 4, 3, 3),
        ("SNOMED", 12, 10, 8, 6),
    ]
