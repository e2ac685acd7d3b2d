"""The datasets the hub comes with: whole, described in both languages, and safe by the roles of their columns."""

from __future__ import annotations

import re

import pytest

from hdh_assets.core.column import Column, Role
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.descriptor_files import PACKAGE_SOURCES, load_datasets
from hdh_assets.core.families import FAMILIES

DATASETS = load_datasets()
TABLES = [(dataset, table) for dataset in DATASETS.values() for table in dataset.tables]
COLUMNS = [(dataset, table, column) for dataset, table in TABLES for column in table.columns]

NINE_KEYS = (
    "DCT_ORD_NUM", "FLX_DIS_DTD", "FLX_EMT_NUM", "FLX_EMT_ORD", "FLX_EMT_TYP", "FLX_TRT_DTD", "ORG_CLE_NUM",
    "PRS_ORD_NUM", "REM_TYP_AFF",
)  # fmt: skip


def test_the_first_four_datasets_are_there() -> None:
    assert {"snds_dcir", "snds_beneficiaries", "hospital_ehr", "commune_context"} <= set(DATASETS)


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.id)
def test_a_descriptor_is_in_the_folder_of_its_family_under_its_own_name(dataset: Dataset) -> None:
    assert dataset.family in FAMILIES
    assert (PACKAGE_SOURCES / dataset.family / f"{dataset.id}.yaml").is_file()


def test_every_column_is_described_in_both_languages() -> None:
    poor = [
        f"{dataset.id}.{table.name}.{column.name}"
        for dataset, table, column in COLUMNS
        if len(column.description.en) < 3 or len(column.description.fr) < 3
    ]
    assert not poor


def test_a_description_says_more_than_the_name() -> None:
    said = {(c.name, c.description.en.lower()) for _, _, c in COLUMNS}
    assert not [name for name, text in said if text == name.lower()]


def test_the_fluxes_have_all_their_columns() -> None:
    assert {table.name: len(table.columns) for table in DATASETS["snds_dcir"].tables} == {
        "ER_PRS_F": 123, "ER_PHA_F": 23, "ER_CAM_F": 35, "ER_BIO_F": 14, "ER_TIP_F": 21, "ER_UCD_F": 24, "ER_ETE_F": 24,
    }  # fmt: skip


def test_refined_tables_join_on_nine_keys() -> None:
    dcir = DATASETS["snds_dcir"]
    assert dcir.by_name["er_prs_f"].primary_key == NINE_KEYS
    for table in dcir.tables[1:]:
        (key,) = table.foreign_keys
        assert (key.table, key.columns, key.on_orphan) == ("ER_PRS_F", NINE_KEYS, "reject")
        assert not any(table.by_name[name.lower()].nullable for name in NINE_KEYS)


@pytest.mark.parametrize(("dataset", "table"), TABLES, ids=lambda x: getattr(x, "name", None) or x.id)
def test_columns_of_a_primary_key_are_never_missing(dataset: Dataset, table: Table) -> None:
    assert not [name for name in table.primary_key if table.by_name[name.lower()].nullable]
    assert dataset.has_persons or dataset.sensitivity == "open"


def test_extractions_may_call_the_pseudonyms_by_their_names() -> None:
    beneficiaries = DATASETS["snds_beneficiaries"].by_name["ir_ben_r"].by_name
    assert beneficiaries["ben_nir_psa"].aliases == ("NUM_ENQ",)
    assert beneficiaries["ben_nir_ano"].aliases == ("NUM_ENQ_ANO", "NUM_ANO")
    assert DATASETS["snds_dcir"].by_name["er_prs_f"].by_name["ben_nir_psa"].aliases == ("NUM_ENQ",)


def test_codes_are_texts() -> None:
    numbers = [f"{t.name}.{c.name}" for _, t, c in COLUMNS if c.codes and c.kind not in ("string", "integer")]
    listed = [f"{t.name}.{c.name}" for _, t, c in COLUMNS if c.code_list and c.kind == "integer"]
    assert not numbers
    assert set(listed) <= {f"{t.name}.{key}" for _, t in TABLES for key in NINE_KEYS}


IDENTIFYING = re.compile(
    r"^(ssn|drivers|passport|prefix|first|last|suffix|maiden|birthplace|ownername|linenote)$", re.IGNORECASE
)


def test_what_names_a_person_goes_to_the_vault() -> None:
    loose = [f"{t.name}.{c.name}" for _, t, c in COLUMNS if IDENTIFYING.match(c.name) and c.is_in_lake]
    assert not loose
    patients = DATASETS["hospital_ehr"].by_name["patients"].by_name
    assert not any(patients[name].is_in_lake for name in ("address", "lat", "lon"))
    assert not DATASETS["hospital_ehr"].by_name["providers"].by_name["name"].is_in_lake
    assert DATASETS["hospital_ehr"].by_name["observations"].by_name["value"].identifying_when == {"CODE": ("56799-0",)}


def test_a_nominative_dataset_alone_has_direct_identifiers() -> None:
    nominative = {d.id for d, _, c in COLUMNS if c.role is Role.direct_identifier}
    assert nominative == {d.id for d in DATASETS.values() if d.sensitivity == "nominative"}


def test_the_same_identifier_has_the_same_domain_everywhere() -> None:
    domains: dict[str, set[str | None]] = {}
    for dataset, _, column in COLUMNS:
        if dataset.family == "snds":
            domains.setdefault(column.name, set()).add(column.identifier_type)
    assert not {name: types for name, types in domains.items() if len(types) > 1}


def test_everyone_who_hangs_on_a_patient_is_checked_against_the_patients() -> None:
    for table in DATASETS["hospital_ehr"].tables:
        if table.person_keys and table.name != "patients":
            assert any(key.table == "patients" and key.on_orphan == "reject" for key in table.foreign_keys), table.name


def test_communes_exercise_the_spreadsheet_dialect() -> None:
    form = DATASETS["commune_context"].format
    assert (form.decimal, form.encoding, form.date) == (",", "cp1252", "%d/%m/%Y")
    assert not DATASETS["commune_context"].has_persons


def test_columns_absent_from_some_fluxes_are_optional() -> None:
    prs = DATASETS["snds_dcir"].by_name["er_prs_f"]
    optional = {column.name for column in prs.columns if column.optional}
    assert {
        "BEN_DRT_SPF",
        "PRS_TYP_MAJ",
        "CPL_FTA_COD",
        "PRS_PPU_SEC",
        "PRS_MNT_MAJ",
        "CPL_REM_TAU",
        "PRS_QTT_MAJ",
    } <= optional


def test_sentinels_are_texts_of_the_type() -> None:
    def fits(dataset: Dataset, column: Column, text: str) -> bool:
        if column.kind == "date":
            return bool(re.fullmatch(r"\d{2}/\d{2}/\d{4}", text)) == ("/" in dataset.format.date)
        return column.kind != "yearmonth" or bool(re.fullmatch(r"\d{6}", text))

    assert not [
        f"{table.name}.{column.name}"
        for dataset, table, column in COLUMNS
        for text in column.sentinels
        if not fits(dataset, column, text)
    ]
