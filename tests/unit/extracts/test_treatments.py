"""What becomes of each column: nothing that identifies passes as it is, whatever the table."""

from __future__ import annotations

import pytest

from hdh_assets.core.column import Role
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.extracts import omop_rules
from hdh_assets.extracts.deliverable import omop_words, undeliverable
from hdh_assets.extracts.treatments import Treatment, omop_treatment, source_treatment
from hdh_assets.governance.dossier import Precision
from tests.integration import intake_world as world

COARSE = Precision()
FINE = Precision(dates="exact", birth="day", residence="commune")
DATASETS = load_datasets()
COLUMNS = [(d, t, c) for d in DATASETS.values() for t in d.tables for c in t.lake_columns]


@pytest.mark.parametrize("table", sorted(omop_rules.ROWS))
def test_no_identifier_of_a_cdm_table_is_kept(table: str) -> None:
    for column in omop_words(table):
        kind = "VARCHAR" if column in {"unique_device_id", "production_id"} else "BIGINT"
        treatment = omop_treatment(table, column, kind, FINE, is_listed=True)
        if omop_rules.is_record_number(column) or column in omop_rules.RECORD_TEXTS or column.startswith("person_"):
            assert treatment is not Treatment.kept, column


def test_the_rules_name_columns_that_the_cdm_has() -> None:
    known = {column for table in omop_rules.ROWS for column in omop_words(table)}
    named = (
        omop_rules.TIMES
        | omop_rules.RECORD_TEXTS
        | omop_rules.CODES_OR_NUMBERS
        | omop_rules.NAMED_ONLY
        | omop_rules.NEVER
        | omop_rules.FINE_RESIDENCE
    )
    assert named | set(omop_rules.FINE_BIRTH) <= known
    for table, rows in omop_rules.ROWS.items():
        assert {rows.start, rows.end} - {""} <= set(omop_words(table)), table


@pytest.mark.parametrize(
    ("birth", "kept"),
    [
        ("year", set()),
        ("month", {"month_of_birth"}),
        ("day", {"month_of_birth", "day_of_birth", "birth_datetime"}),
    ],
)
def test_birth_is_as_fine_as_the_permit_says(birth: str, kept: set[str]) -> None:
    precision = Precision.model_validate({"birth": birth})
    treatments = {c: omop_treatment("person", c, "INTEGER", precision, is_listed=True) for c in omop_rules.FINE_BIRTH}
    assert {column for column, treatment in treatments.items() if treatment is not Treatment.blank} == kept


@pytest.mark.parametrize(
    ("name", "precision", "treatment"),
    [
        ("hospital_ehr.patients.birthdate", {"birth": "month"}, Treatment.blank),
        ("hospital_ehr.patients.birthdate", {"birth": "day", "dates": "exact"}, Treatment.kept),
        ("hospital_ehr.patients.birthdate", {"birth": "day", "dates": "month"}, Treatment.kept),
        ("hospital_ehr.encounters.start", {"dates": "exact"}, Treatment.kept),
        ("hospital_ehr.encounters.start", {"dates": "day"}, Treatment.day),
        ("hospital_ehr.encounters.start", {"dates": "month"}, Treatment.month),
        ("snds_dcir.er_prs_f.exe_soi_dtd", {"dates": "day"}, Treatment.kept),
        ("snds_beneficiaries.ir_ben_r.ben_nai_moi", {"birth": "year"}, Treatment.blank),
        ("snds_beneficiaries.ir_ben_r.ben_nai_moi", {"birth": "month"}, Treatment.kept),
        ("snds_dcir.er_prs_f.ben_res_com", {"residence": "department"}, Treatment.blank),
        ("snds_dcir.er_prs_f.ben_res_com", {"residence": "commune"}, Treatment.kept),
        ("snds_dcir.er_prs_f.ben_dcd_dte", {"dates": "month"}, Treatment.within_month),
        ("snds_dcir.er_prs_f.ben_dcd_ame", {"dates": "month"}, Treatment.within),
        ("hospital_ehr.patients.deathdate", {"dates": "exact"}, Treatment.within),
        ("hospital_ehr.patients.deathdate", {"dates": "day"}, Treatment.within),
    ],
)
def test_listed_columns_are_as_fine_as_the_permit_says(
    name: str, precision: dict[str, str], treatment: Treatment
) -> None:
    dataset, table, column = name.split(".")
    described = DATASETS[dataset].by_name[table]
    granted = Precision.model_validate(precision)
    found = source_treatment(DATASETS[dataset], described, described.by_name[column], granted, is_listed=True)
    assert found is treatment


@pytest.mark.parametrize(
    "name",
    [
        "snds_dcir.er_ete_f.etb_exe_fin",
        "snds_dcir.er_prs_f.etb_pre_fin",
        "snds_dcir.er_tip_f.tip_sir_num",
        "hospital_ehr.medications.payer",
        "hospital_ehr.claims.primarypatientinsuranceid",
        "hospital_ehr.claims_transactions.placeofservice",
        "hospital_ehr.payers.id",
        "hospital_ehr.organizations.id",
    ],
)
def test_numbers_of_establishments_and_payers_are_replaced_alike(name: str) -> None:
    dataset, table, column = name.split(".")
    described = DATASETS[dataset].by_name[table]
    found = source_treatment(DATASETS[dataset], described, described.by_name[column], FINE, is_listed=True)
    assert found is Treatment.record_text


def test_a_time_of_the_day_is_for_exact_dates() -> None:
    for dates in ("month", "day"):
        precision = Precision.model_validate({"dates": dates})
        assert (
            omop_treatment("measurement", "measurement_time", "VARCHAR", precision, is_listed=True) is Treatment.blank
        )
    assert omop_treatment("measurement", "measurement_time", "VARCHAR", FINE, is_listed=True) is Treatment.kept


@pytest.mark.parametrize(
    ("table", "column", "kind", "of_days", "of_months"),
    [
        ("measurement", "measurement_date", "DATE", Treatment.kept, Treatment.month),
        ("measurement", "measurement_datetime", "TIMESTAMP", Treatment.day, Treatment.month),
        (
            "observation_period",
            "observation_period_end_date",
            "DATE",
            Treatment.clipped_end,
            Treatment.clipped_end_month,
        ),
        ("person", "birth_datetime", "TIMESTAMP", Treatment.kept, Treatment.kept),
    ],
)
def test_days_of_the_cdm_are_cut_as_the_permit_says(table, column, kind, of_days, of_months) -> None:  # type: ignore[no-untyped-def]
    for dates, expected in (("day", of_days), ("month", of_months)):
        precision = Precision.model_validate({"dates": dates, "birth": "day"})
        assert omop_treatment(table, column, kind, precision, is_listed=True) is expected


def test_a_home_address_is_never_delivered() -> None:
    for column in omop_rules.NEVER:
        assert omop_treatment("location", column, "VARCHAR", FINE, is_listed=True) is Treatment.blank


def test_free_text_is_delivered_only_where_the_permit_lists_it() -> None:
    assert omop_treatment("note", "note_text", "VARCHAR", FINE, is_listed=False) is Treatment.blank
    assert omop_treatment("note", "note_text", "VARCHAR", FINE, is_listed=True) is Treatment.kept


@pytest.mark.parametrize(
    ("dataset", "table", "column"), COLUMNS, ids=lambda x: getattr(x, "name", getattr(x, "id", ""))
)
def test_a_delivered_identifier_is_replaced_or_withheld(dataset, table, column) -> None:  # type: ignore[no-untyped-def]
    treatment = source_treatment(dataset, table, column, COARSE, is_listed=False)
    if column.is_pseudonymised or (column.role is Role.record_key and not dataset.is_open):
        assert treatment not in {Treatment.kept, Treatment.month, None}
    elif column.role is Role.quasi_identifier and not dataset.is_open:
        assert treatment is None or "replaced" in treatment
    elif column.kind in {"date", "timestamp"} and not dataset.is_open:
        assert treatment in {Treatment.month, Treatment.within_month, Treatment.record_date}


def professionals(**said: str) -> Dataset:
    """A directory of a dataset that designates no person; with something `said` of the column THIS."""
    kind = "integer" if said.get("role") == "record_key" else "date"
    rpps = world.column("RPPS", "string(11)", identifier_type="rpps", nullable=False)
    columns = [rpps, world.column("THIS", kind, **said)]
    table = {"name": "DOCTORS", "title": world.text("D"), "description": world.text("D"), "primary_key": ["RPPS"]}
    return world.dataset("doctors", sensitivity="pseudonymised", tables=[table | {"columns": columns}])


@pytest.mark.parametrize(
    ("said", "unlisted", "listed"),
    [
        ({}, Treatment.month, Treatment.month),
        ({"role": "record_key"}, Treatment.record_number, Treatment.record_number),
        ({"role": "quasi_identifier"}, None, Treatment.month),
        ({"tells": "birth_day"}, Treatment.blank, Treatment.blank),
        ({"tells": "death"}, Treatment.within_month, Treatment.within_month),
    ],
)
def test_what_designates_no_person_is_treated_as_the_rest_unless_it_is_open(
    said: dict[str, str], unlisted: Treatment | None, listed: Treatment
) -> None:
    """The hub's own pseudonyms of professionals would join the extracts of two projects."""
    directory = professionals(**said)
    (table,) = directory.tables
    this = table.by_name["this"]
    assert source_treatment(directory, table, this, COARSE, is_listed=False) is unlisted
    assert source_treatment(directory, table, this, COARSE, is_listed=True) is listed
    assert source_treatment(directory, table, table.by_name["rpps"], FINE, is_listed=True) is Treatment.record_uuid
    assert undeliverable({"doctors": directory, **DATASETS}) == {}


@pytest.mark.parametrize("name", ["BEN_DTE_INS", "BEN_DTE_MAJ", "BEN_IDT_MAJ", "MAX_TRT_DTD"])
def test_a_last_care_is_told_within_the_period_alone(name: str) -> None:
    """Its row is there whatever the period, and a person whose last care is before it has died or left."""
    dataset = DATASETS["snds_beneficiaries"]
    for table in ("ir_ben_r", "ir_ben_r_arc"):
        described = dataset.by_name[table]
        found = [
            source_treatment(dataset, described, described.by_name[name.lower()], p, is_listed=True)
            for p in (FINE, COARSE)
        ]
        assert found == [Treatment.within, Treatment.within_month]


@pytest.mark.parametrize(
    ("table", "columns"),
    {
        "patients": ("healthcare_expenses", "healthcare_coverage"),
        "organizations": ("name", "address", "city", "zip", "lat", "lon", "phone"),
        "providers": ("city", "zip", "lat", "lon"),
        "claims_transactions": ("notes",),
    }.items(),
)
def test_totals_of_a_life_free_text_and_what_names_a_place_are_for_permits_that_list_them(
    table: str, columns: tuple[str, ...]
) -> None:
    """A name beside a project's number of an establishment ties the numbers of two projects."""
    dataset = DATASETS["hospital_ehr"]
    described = dataset.by_name[table]
    for name in columns:
        assert source_treatment(dataset, described, described.by_name[name], FINE, is_listed=False) is None


def test_how_a_stay_ended_which_may_be_a_death_of_any_day_is_for_permits_that_name_it() -> None:
    dataset = DATASETS["snds_dcir"]
    table = dataset.by_name["er_ete_f"]
    column = table.by_name["ete_nat_fsj"]
    assert source_treatment(dataset, table, column, FINE, is_listed=False) is None
    assert source_treatment(dataset, table, column, COARSE, is_listed=True) is Treatment.kept


def test_the_age_at_a_day_of_care_is_as_fine_as_a_birthday() -> None:
    dataset = DATASETS["snds_dcir"]
    table = dataset.by_name["er_prs_f"]
    for precision, found in ((COARSE, Treatment.blank), (FINE, Treatment.kept)):
        assert source_treatment(dataset, table, table.by_name["ben_ama_cod"], precision, is_listed=True) is found


def test_establishments_are_told_by_number_in_either_column() -> None:
    dataset = DATASETS["snds_dcir"]
    table = dataset.by_name["er_ete_f"]
    for name in ("etb_exe_fin", "ete_eta_trf"):
        found = source_treatment(dataset, table, table.by_name[name], FINE, is_listed=True)
        assert found is Treatment.record_text
    assert omop_treatment("care_site", "care_site_name", "VARCHAR", FINE, is_listed=False) is Treatment.blank


def test_both_sides_of_a_foreign_key_are_treated_alike() -> None:
    for dataset in DATASETS.values():
        for table in dataset.tables:
            for key in table.foreign_keys:
                parent = dataset.by_name[key.table.lower()]
                for name, target in zip(key.columns, key.target_columns, strict=True):
                    mine = source_treatment(dataset, table, table.by_name[name.lower()], COARSE, is_listed=True)
                    other = source_treatment(dataset, parent, parent.by_name[target.lower()], COARSE, is_listed=True)
                    assert mine == other, f"{dataset.id}.{table.name}.{name}"


def test_the_domain_of_a_cost_tells_in_which_table_its_event_is() -> None:
    assert omop_treatment("cost", "cost_event_id", "BIGINT", FINE, is_listed=False) is Treatment.record_number
    assert omop_treatment("cost", "cost_domain_id", "VARCHAR", FINE, is_listed=False) is Treatment.kept
