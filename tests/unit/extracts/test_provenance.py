"""Which deliveries a table comes from."""

from __future__ import annotations

from hdh_assets.extracts.provenance import Delivery, datasets_of, feeding

DELIVERIES = [
    Delivery("1" * 64, "snds_dcir", "2019-01", "cnam", "current", ({"name": "ER_PRS_F.csv", "sha256": "a"},)),
    Delivery("2" * 64, "snds_dcir", "2019-02", "cnam", "current", ({"name": "er_pha_f_001.csv.gz", "sha256": "b"},)),
    Delivery("3" * 64, "commune_context", "2019", "insee", "current", ({"name": "x.csv", "sha256": "c"},)),
]


def test_a_delivered_table_comes_from_the_deliveries_that_have_a_file_of_its_name() -> None:
    assert [d.period for d in feeding("snds_dcir.er_prs_f", DELIVERIES)] == ["2019-01"]
    assert [d.period for d in feeding("snds_dcir.er_pha_f", DELIVERIES)] == ["2019-02"]


def test_a_cdm_table_comes_from_every_dataset_its_models_read() -> None:
    assert {"snds_dcir", "snds_beneficiaries", "hospital_ehr"} <= datasets_of("drug_exposure")
    assert "snds_dcir" in datasets_of("drug_era")
    assert "commune_context" not in datasets_of("drug_exposure")
    assert [d.dataset for d in feeding("omop.drug_exposure", DELIVERIES)] == ["snds_dcir", "snds_dcir"]
