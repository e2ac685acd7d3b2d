"""A hospital export written by hand: two patients whose records hold a case of each rule, in the producer's layout."""

from __future__ import annotations

import csv
from pathlib import Path

from hdh_assets.core.descriptor_files import load_datasets

Row = dict[str, object]


def number(kind: str, index: int) -> str:
    """The record number of the n-th thing of a kind, as the producer writes it."""
    return f"{sum(kind.encode()):08x}-0000-0000-0000-{index:012x}"


ANNA, BRUNO = number("patient", 1), number("patient", 2)
CARE, DOCTOR, PAYER = number("organization", 1), number("provider", 1), number("payer", 1)


def encounter(index: int, patient: str, kind: str, start: str, stop: str, **more: object) -> Row:
    return {
        "Id": number("encounter", index), "PATIENT": patient, "ENCOUNTERCLASS": kind, "START": start, "STOP": stop,
        "ORGANIZATION": CARE, "PROVIDER": DOCTOR, "PAYER": PAYER, "CODE": "185345009", "DESCRIPTION": "encounter",
        "BASE_ENCOUNTER_COST": "80.00", "TOTAL_CLAIM_COST": "100.00", "PAYER_COVERAGE": "60.00", **more,
    }  # fmt: skip


def _event(encounter: int, code: str, patient: str = ANNA, **more: object) -> Row:
    return {"PATIENT": patient, "ENCOUNTER": number("encounter", encounter), "CODE": code, "DESCRIPTION": code, **more}


_HEADACHE_PILL = _event(
    1, "313782", START="2020-01-01T10:00:00Z", STOP="2020-01-08T10:00:00Z", PAYER=PAYER, BASE_COST="5.00",
    PAYER_COVERAGE="2.00", DISPENSES="1", TOTALCOST="5.00",
)  # fmt: skip

_HEIGHT = {"CATEGORY": "vital-signs", "UNITS": "cm", "TYPE": "numeric"}

EXPORT: dict[str, list[Row]] = {
    "patients": [
        {"Id": ANNA, "BIRTHDATE": "1980-02-29", "GENDER": "F", "RACE": "white", "ETHNICITY": "nonhispanic",
         "CITY": "Boston", "STATE": "Massachusetts", "COUNTY": "Suffolk County", "ZIP": "02155",
         "HEALTHCARE_EXPENSES": "1.0", "HEALTHCARE_COVERAGE": "1.0"},
        {"Id": BRUNO, "BIRTHDATE": "1950-07-01", "DEATHDATE": "2020-03-10", "GENDER": "M", "RACE": "other",
         "ETHNICITY": "hispanic", "CITY": "Boston", "STATE": "Massachusetts", "COUNTY": "Suffolk County",
         "ZIP": "02155", "HEALTHCARE_EXPENSES": "1.0", "HEALTHCARE_COVERAGE": "1.0"},
    ],
    "organizations": [
        {"Id": CARE, "NAME": "General Hospital", "ADDRESS": "1 Main Street", "CITY": "Boston", "STATE": "MA",
         "ZIP": "02155", "LAT": "42.5", "LON": "-71.5", "REVENUE": "0.0", "UTILIZATION": "7"},
    ],
    "providers": [
        {"Id": DOCTOR, "ORGANIZATION": CARE, "NAME": "Ada", "GENDER": "F", "SPECIALITY": "GENERAL PRACTICE",
         "CITY": "Boston", "STATE": "MA", "ZIP": "02155", "LAT": "42.5", "LON": "-71.5", "UTILIZATION": "7"},
    ],
    "payers": [
        {"Id": PAYER, "NAME": "Medicare", "AMOUNT_COVERED": "1.00", "AMOUNT_UNCOVERED": "1.00", "REVENUE": "1.00",
         "COVERED_ENCOUNTERS": "1", "UNCOVERED_ENCOUNTERS": "1", "COVERED_MEDICATIONS": "1",
         "UNCOVERED_MEDICATIONS": "1", "COVERED_PROCEDURES": "1", "UNCOVERED_PROCEDURES": "1",
         "COVERED_IMMUNIZATIONS": "1", "UNCOVERED_IMMUNIZATIONS": "1", "UNIQUE_CUSTOMERS": "1", "QOLS_AVG": "NaN",
         "MEMBER_MONTHS": "12"},
    ],
    "encounters": [
        encounter(1, ANNA, "wellness", "2020-01-01T10:00:00Z", "2020-01-01T10:15:00Z"),
        encounter(2, ANNA, "emergency", "2020-01-10T22:00:00Z", "2020-01-10T23:30:00Z"),
        encounter(3, ANNA, "inpatient", "2020-01-10T23:30:00Z", "2020-01-13T09:00:00Z"),
        encounter(4, ANNA, "inpatient", "2020-01-14T08:00:00Z", "2020-01-15T12:00:00Z"),
        encounter(5, ANNA, "ambulatory", "2020-01-12T09:00:00Z", "2020-01-12T09:15:00Z"),
        encounter(6, ANNA, "urgentcare", "2020-02-01T10:00:00Z", ""),
        encounter(8, ANNA, "virtual", "2020-01-12T10:00:00Z", "2020-01-12T10:15:00Z"),
        encounter(7, BRUNO, "ambulatory", "2020-03-17T08:00:00Z", "2020-03-17T08:15:00Z", CODE="308646001",
                   REASONCODE="22298006", REASONDESCRIPTION="Myocardial infarction"),
    ],
    "conditions": [
        _event(1, "195662009", START="2020-01-01", STOP="2020-01-09"),
        _event(3, "195662009", START="2020-02-09", STOP=""),
        _event(1, "160903007", START="2020-01-01", STOP=""),
        _event(1, "999999", START="2020-01-01", STOP=""),
        _event(3, "430193006", START="2020-01-12", STOP="2020-01-13"),  # an act among the diagnoses
        _event(3, "705643001", START="2020-01-13", STOP=""),  # a device
    ],
    "medications": [
        _HEADACHE_PILL,
        dict(_HEADACHE_PILL),
        {**_HEADACHE_PILL, "CODE": "665078", "STOP": "", "BASE_COST": "7.00"},
    ],
    "procedures": [
        _event(1, "430193006", START="2020-01-01T10:00:00Z", STOP="2020-01-01T10:10:00Z", BASE_COST="50.00"),
        _event(1, "171207006", START="2020-01-01T10:05:00Z", STOP="2020-01-01T10:10:00Z", BASE_COST="20.00"),
    ],
    "observations": [
        _event(1, "8302-2", **_HEIGHT, DATE="2020-01-01T10:00:00Z", VALUE="170.5"),
        _event(1, "8302-2", **_HEIGHT, DATE="2020-01-01T10:01:00Z", VALUE="NaN"),
        _event(1, "72166-2", DATE="2020-01-01T10:00:00Z", CATEGORY="survey", VALUE="Never smoker", TYPE="text"),
        {**_event(1, "QALY", DATE="2020-02-03T00:00:00Z", VALUE="39.5", UNITS="a", TYPE="numeric"), "ENCOUNTER": ""},
    ],
    "allergies": [
        _event(1, "111088007", START="2020-01-01", STOP="", SYSTEM="SNOMED-CT", TYPE="allergy"),
        _event(1, "1191", START="2020-01-02", STOP="", SYSTEM="RxNorm", TYPE="intolerance"),
        _event(1, "195662009", START="2020-01-02", STOP="", SYSTEM="SNOMED-CT", TYPE="allergy"),  # a disease
    ],
    "devices": [_event(3, "705643001", START="2020-01-11T08:00:00Z", STOP="", UDI="(01)134(11)760704(21)488")],
    "supplies": [_event(3, "713779008", DATE="2020-01-12", QUANTITY="24")],
    "immunizations": [_event(1, "140", DATE="2020-01-01T10:00:00Z", BASE_COST="140.52")],
    "payer_transitions": [
        {"PATIENT": ANNA, "MEMBERID": number("member", 1), "START_YEAR": "2019-06-01T00:00:00Z",
         "END_YEAR": "2020-05-31T00:00:00Z", "PAYER": PAYER, "OWNERSHIP": "Self"},
    ],
}  # fmt: skip
"""Rows by file; a file that is not here has none."""


def write_export(out: Path, more: dict[str, list[Row]] | None = None) -> Path:
    """The 18 files of that export in a folder, with `more` rows by file."""
    out.mkdir(parents=True, exist_ok=True)
    for table in load_datasets()["hospital_ehr"].tables:
        with (out / f"{table.name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [column.name for column in table.columns], restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows([*EXPORT.get(table.name, []), *(more or {}).get(table.name, [])])
    return out
