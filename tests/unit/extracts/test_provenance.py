"""Which producers' files a table comes from."""

from __future__ import annotations

import pytest

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.extracts.provenance import Delivery, feeding
from hdh_assets.sources.intake.manifest import table_of
from hdh_assets.standard.lineage import delivered_tables


def delivery(dataset: str, period: str, *names: str) -> Delivery:
    described = load_datasets()[dataset]
    files = tuple({"name": name, "sha256": name.encode().hex()} for name in names)
    tables = frozenset(table.lake_name for name in names if (table := table_of(described, name)))
    return Delivery(period.replace("-", ""), dataset, period, "somebody", "current", tables, files)


DELIVERIES = [
    delivery("snds_dcir", "2019-01", "ER_PRS_F.csv", "ER_PRS_F_002.csv.gz"),
    delivery("snds_dcir", "2019-02", "er_pha_f_001.csv.gz", "ER_PRS_F.csv"),
    delivery("snds_beneficiaries", "2019-02", "IR_BEN_R.csv", "IR_BEN_R_ARC.csv", "IR_IMB_R.csv"),
    delivery("commune_context", "2019", "commune_indicators.csv"),
]


def found(table: str) -> set[tuple[str, str]]:
    return {(each.period, name) for each in feeding(table, DELIVERIES) for name in each.digests()}


def test_a_delivered_table_comes_from_the_files_of_its_name() -> None:
    assert found("snds_dcir.er_prs_f") == {
        ("2019-01", "ER_PRS_F.csv"), ("2019-01", "ER_PRS_F_002.csv.gz"), ("2019-02", "ER_PRS_F.csv")
    }  # fmt: skip
    assert found("snds_dcir.er_pha_f") == {("2019-02", "er_pha_f_001.csv.gz")}
    assert found("snds_beneficiaries.ir_ben_r") == {("2019-02", "IR_BEN_R.csv")}


def test_a_table_whose_name_ends_as_a_part_has_its_own_files() -> None:
    files = tuple({"name": name, "sha256": name} for name in ("visit.csv", "visit_2.csv", "visit_02.csv"))
    known = [Delivery("d", "clinic", "2024-01", "clinic", "current", frozenset({"visit", "visit_2"}), files)]
    assert [list(each.digests()) for each in feeding("clinic.visit", known)] == [["visit.csv", "visit_02.csv"]]
    assert [list(each.digests()) for each in feeding("clinic.visit_2", known)] == [["visit_2.csv"]]


def test_a_cdm_table_comes_from_the_files_its_models_read_and_no_other() -> None:
    assert found("omop.person") == {("2019-02", "IR_BEN_R.csv"), ("2019-02", "IR_BEN_R_ARC.csv")}
    assert found("omop.concept") == set()
    assert {period for period, _ in found("omop.drug_exposure")} == {"2019-01", "2019-02"}


@pytest.mark.parametrize(
    ("table", "reads", "does_not_read"),
    [
        ("person", {("hospital_ehr", "patients")}, {("hospital_ehr", "allergies"), ("snds_dcir", "er_prs_f")}),
        ("condition_era", {("hospital_ehr", "conditions")}, {("hospital_ehr", "claims")}),
        ("condition_occurrence", {("snds_beneficiaries", "ir_imb_r")}, {("hospital_ehr", "claims")}),
        ("death", {("snds_beneficiaries", "ir_ben_r")}, {("snds_dcir", "er_prs_f")}),
        ("drug_era", {("snds_dcir", "er_pha_f"), ("hospital_ehr", "medications")}, {("hospital_ehr", "claims")}),
        ("stg_snds_dcir__er_cam_f", {("snds_dcir", "er_cam_f")}, {("snds_dcir", "er_prs_f")}),
    ],
)  # fmt: skip
def test_lineage_is_what_dbt_knows_macros_included(
    table: str, reads: set[tuple[str, str]], does_not_read: set[tuple[str, str]]
) -> None:
    assert reads <= delivered_tables(table)
    assert not does_not_read & delivered_tables(table)
