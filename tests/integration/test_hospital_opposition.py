"""What an opposition leaves of hospital records is what a full rebuild gives, of persons who did not object too."""

from datetime import UTC, datetime

import pytest
from hospital_hub import standardised_hub
from hospital_rows import ANNA, encounter, write_export

from hdh_assets.core.opposition import PersonKey, record
from hdh_assets.sources.opposed.apply import apply_oppositions
from resources.oppositions import open_book

NOW = datetime(2024, 2, 1, tzinfo=UTC)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def hub(standardised, tmp_path_factory):
    """Anna is in hospital; the last thing the records tell is of Bruno."""
    stay = encounter(9, ANNA, "inpatient", "2020-03-01T10:00:00Z", "")
    export = write_export(tmp_path_factory.mktemp("export"), {"encounters": [stay]})
    with standardised_hub(tmp_path_factory.mktemp("hub") / "opposed", export, standardised) as hub:
        yield hub


def lasting(hub):
    """What tells until when persons are known to have been in hospital."""
    return [
        hub.rows(f"FROM lake.omop.{table} ORDER BY ALL")
        for table in ("visit_occurrence", "visit_detail", "observation_period")
    ]


def test_a_stay_that_goes_on_does_not_end_at_the_last_moment_of_who_objected(hub):
    ends = "SELECT visit_end_datetime::VARCHAR FROM lake.omop.visit_occurrence WHERE visit_start_date = '2020-03-01'"
    assert hub.rows(ends) == [("2020-03-17 08:15:00",)]
    ((bruno,),) = hub.rows("SELECT id::VARCHAR FROM lake.hospital_ehr.patients WHERE deathdate IS NOT NULL")
    book = open_book(hub.home)
    with book.held():
        book.write(record(book.read(), [(PersonKey("ehr_patient", bruno),)], "ehr_patient", (), NOW)[0])
    apply_oppositions(hub.home, hub.settings, hub.datasets, run_id="test")
    hub.standardise()
    assert hub.rows(ends) == [("2020-03-01 10:00:00",)]
    left = lasting(hub)
    hub.standardise(full=True)
    assert lasting(hub) == left
