"""What an extract makes of the CDM's tables: which rows belong to a permit, which columns are not given as they are.

Facts about OMOP CDM 5.4 only; delivered tables follow their descriptors (`treatments.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hdh_assets.governance.dossier import Period


@dataclass(frozen=True)
class Rows:
    """How the rows of a CDM table are limited to the permit's persons and period.

    * `person`: all rows of the person. * `event`: `start` within the period.
    * `clipped`: spans that touch the period, cut to it. * `within`: spans wholly within it, because what they sum up
      would otherwise tell of events outside.
    * `attached`: rows whose `start` is the identifier of a row delivered from an event table.
    * `location`: places of the persons and of the care sites. * `directory`: all rows; nobody is in them.
    """

    kind: Literal["person", "event", "clipped", "within", "attached", "location", "directory"]
    start: str = ""
    end: str = ""

    def within(self, period: Period) -> str:
        """SQL condition on the rows `t` of such a table that belong to the period; `true` where no day limits them."""
        match self.kind:
            case "event":
                return f"t.{self.start} BETWEEN '{period.first}' AND '{period.last}'"
            case "clipped":
                return f"t.{self.start} <= '{period.last}' AND t.{self.end} >= '{period.first}'"
            case "within":
                return f"t.{self.start} >= '{period.first}' AND t.{self.end} <= '{period.last}'"
            case _:
                return "true"


ROWS: dict[str, Rows] = {
    "person": Rows("person"),
    "death": Rows("event", "death_date"),
    "observation_period": Rows("clipped", "observation_period_start_date", "observation_period_end_date"),
    "payer_plan_period": Rows("clipped", "payer_plan_period_start_date", "payer_plan_period_end_date"),
    "visit_occurrence": Rows("event", "visit_start_date"),
    "visit_detail": Rows("event", "visit_detail_start_date"),
    "condition_occurrence": Rows("event", "condition_start_date"),
    "drug_exposure": Rows("event", "drug_exposure_start_date"),
    "procedure_occurrence": Rows("event", "procedure_date"),
    "device_exposure": Rows("event", "device_exposure_start_date"),
    "measurement": Rows("event", "measurement_date"),
    "observation": Rows("event", "observation_date"),
    "note": Rows("event", "note_date"),
    "specimen": Rows("event", "specimen_date"),
    "episode": Rows("event", "episode_start_date"),
    "condition_era": Rows("within", "condition_era_start_date", "condition_era_end_date"),
    "drug_era": Rows("within", "drug_era_start_date", "drug_era_end_date"),
    "dose_era": Rows("within", "dose_era_start_date", "dose_era_end_date"),
    "cost": Rows("attached", "cost_event_id"),
    "note_nlp": Rows("attached", "note_id"),
    "episode_event": Rows("attached", "episode_id"),
    "location": Rows("location"),
    "care_site": Rows("directory"),
    "provider": Rows("directory"),
    "cdm_source": Rows("directory"),
}
"""The deliverable CDM tables. The vocabulary is not among them (projects load their own, under its licences), nor are
cohorts, metadata and fact_relationship, whose rows cannot be limited to a permit."""

EVENTS = frozenset(table for table, rows in ROWS.items() if rows.kind == "event") - {"death"}
"""Tables of events that have a number. Numbers of different tables never meet: they are hashes."""

PERSON_ID = "person_id"
LOCATION_ID = "location_id"
PERSON_TEXT = "person_source_value"

RECORD_TEXTS = frozenset(
    {
        "care_site_source_value",
        "dea",
        "family_source_value",
        "location_source_value",
        "npi",
        "production_id",
        "provider_source_value",
        "specimen_source_id",
        "unique_device_id",
    }
)
"""Text columns that number a thing or a professional: replaced like record identifiers."""

CODES_OR_NUMBERS = frozenset({"payer_source_value"})
"""Text columns with a code of a list where claims say it, and the number of a producer's record where health records
do, as in ETL-Synthea. Two projects would share that number: only the codes are given."""

LONGEST_CODE = 9
"""Characters of such a code, at most (IR_ORG_V); the number of a record has more."""

NAMED_ONLY = frozenset(
    {
        "care_site_name",
        "lexical_variant",
        "note_source_value",
        "note_text",
        "note_title",
        "provider_name",
        "snippet",
        "term_modifiers",
    }
)
"""Free text and names, those of establishments too, which would tie the numbers two projects have of them: empty unless
the permit lists the column."""

NEVER = frozenset({"address_1", "address_2", "latitude", "longitude"})
"""A home address or a point is never delivered."""

TIMES = frozenset({"measurement_time"})
"""Texts that hold a time of the day; exact dates alone have one."""

FINE_BIRTH = {"month_of_birth": "month", "day_of_birth": "day", "birth_datetime": "day"}
"""Birth columns by the precision they need; that of other dates does not touch them."""

FINE_RESIDENCE = frozenset({"city", "zip"})
"""Columns of `location` that need commune precision."""

BIRTH_PRECISION = ("year", "month", "day")


def is_record_number(column: str) -> bool:
    """Whether a column is an identifier of a row, here or in another table: `*_id`, concepts and vocabulary aside.

    `cost_domain_id` says in which table the row of `cost_event_id` is.
    """
    return column.endswith("_id") and not column.endswith(("concept_id", "domain_id"))


def attached_to(table: str) -> frozenset[str]:
    """Tables of events of which one must be delivered for the table to have a row; empty where it needs none."""
    rows = ROWS[table]
    if rows.kind != "attached":
        return frozenset()
    named = rows.start.removesuffix("_id")
    return frozenset({named}) if named in ROWS else EVENTS
