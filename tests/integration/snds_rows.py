"""Rows of SNDS deliveries written straight into a lake, for tests of standardisation and its benchmark.

Every line is a pure function of its flux and number, so that a later flux can cancel it exactly.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import duckdb

from resources.lake import transaction
from resources.lake_tables import DeliveryRow, deliveries, register

LOADED_AT = datetime(2024, 1, 1, tzinfo=UTC)
LATE_SHARE, CANCELLED_EVERY, LOOK_BACK = 10, 50, 24
_DCIR = ("er_prs_f", "er_pha_f", "er_cam_f", "er_bio_f", "er_tip_f", "er_ucd_f", "er_ete_f")
_KEYS = (
    "i AS dct_ord_num, flux_date AS flx_dis_dtd, 1 AS flx_emt_num, part AS flx_emt_ord, 1 AS flx_emt_typ,"
    " flux_date AS flx_trt_dtd, 'ORG' AS org_cle_num, 1 AS prs_ord_num, 0 AS rem_typ_aff"
)
# kind of care, share in hundredths, PRS_NAT_REF
_NATURES = ((45, "3312"), (65, "1111"), (80, "3111"), (90, "3211"), (97, "1352"), (99, "3513"), (100, "4212"))


def delivery_id(dataset: str, period: str, version: int) -> uuid.UUID:
    """A stable id of a delivery of tests."""
    return uuid.UUID(hashlib.md5(f"{dataset}|{period}|{version}".encode(), usedforsecurity=False).hexdigest())


def add_flux(engine: duckdb.DuckDBPyConnection, month: int, *, lines: int, persons: int, version: int = 1) -> None:
    """Deliver the flux of a month (0 is 2020-01) of about `lines` lines; a greater version replaces the earlier one."""
    period = _period(month)
    delivery = delivery_id("snds_dcir", period, version)
    with transaction(engine):
        _retire(engine, "snds_dcir", period, _DCIR)
        engine.execute(f"CREATE OR REPLACE TEMP TABLE line AS {_lines(month, lines, persons, version)}")
        technical = f"'{delivery}'::UUID AS _delivery, '{period}' AS _period, 'test' AS _file"
        engine.execute(
            f"INSERT INTO lake.snds_dcir.er_prs_f BY NAME SELECT {_KEYS}, {_PRESTATION}, {technical} FROM line"
        )
        for table, nature, columns in _REFINED:
            engine.execute(
                f"INSERT INTO lake.snds_dcir.{table} BY NAME SELECT {_KEYS}, {columns}, {technical}"
                f" FROM line WHERE prs_nat_ref = '{nature}'"
            )
        record_delivery(engine, "snds_dcir", period, delivery)


def remove_flux(engine: duckdb.DuckDBPyConnection, month: int) -> None:
    """Take the flux of a month out of the current set."""
    with transaction(engine):
        _retire(engine, "snds_dcir", _period(month), _DCIR)


def set_beneficiaries(engine: duckdb.DuckDBPyConnection, period: str, *, persons: int, version: int = 1) -> None:
    """Deliver the beneficiary reference; it replaces the earlier one.

    Two keys in ten share a person. From version 2 on, one key in twenty designates another person than before, some
    persons have died and some have moved.
    """
    delivery = delivery_id("snds_beneficiaries", period, version)
    tables = ("ir_ben_r", "ir_ben_r_arc", "ir_imb_r")
    designated = f"CASE WHEN {version} > 1 AND k % 20 = 3 THEN k + 100000000 ELSE k - k % 10 % 2 END"
    technical = f"'{delivery}'::UUID AS _delivery, '{period}' AS _period, 'test' AS _file"
    with transaction(engine):
        _retire(engine, "snds_beneficiaries", None, tables)
        engine.execute(
            f"INSERT INTO lake.snds_beneficiaries.ir_ben_r BY NAME SELECT {_uuid('psa', 'k')} AS ben_nir_psa,"
            " '1' AS ben_rng_gem,"
            f" CASE WHEN k % 10 < 8 THEN {_uuid('ano', designated)} END"
            " AS ben_nir_ano, '00' AS ben_cdi_nir, (1930 + k // 2 % 80)::SMALLINT AS ben_nai_ann, '05' AS ben_nai_moi,"
            " (1 + k // 2 % 2)::VARCHAR AS ben_sex_cod, '075' AS ben_res_dpt,"
            f" (101 + (k + CASE WHEN {version} > 1 AND k % 50 = 7 THEN 1 ELSE 0 END) % 20)::VARCHAR AS ben_res_com,"
            f" CASE WHEN {version} > 1 AND k % 40 = 9 THEN DATE '2020-02-20' ELSE DATE '1600-01-01' END AS ben_dcd_dte,"
            f" '01C751' AS org_aff_ben, DATE '2020-01-05' + (k % 20)::INT AS max_trt_dtd,"
            f" {technical} FROM range({persons}) AS t (k)"
        )
        engine.execute(
            f"INSERT INTO lake.snds_beneficiaries.ir_imb_r BY NAME SELECT {_uuid('psa', 'k')} AS ben_nir_psa,"
            " '1' AS ben_rng_gem,"
            " DATE '2019-06-01' + (k % 300)::INT AS imb_ald_dtd, DATE '1600-01-01' AS imb_ald_dtf, '41' AS imb_etm_nat,"
            f" 'E11' AS med_mtf_cod, 'CIM10' AS med_ncl_idt, {technical} FROM range({persons}) AS t (k) WHERE k % 5 = 0"
        )
        record_delivery(engine, "snds_beneficiaries", period, delivery)


def _period(month: int) -> str:
    return f"{2020 + month // 12}-{month % 12 + 1:02d}"


def _uuid(kind: str, expression: str) -> str:
    return f"md5('{kind}' || ({expression}))::UUID"


def _lines(month: int, lines: int, persons: int, version: int) -> str:
    """The flux's own lines, and in negative those of the flux before that it cancels."""
    own = _own_lines(month, lines, persons, version)
    if month == 0:
        return f"SELECT *, 1 AS part FROM ({own})"
    before = _own_lines(month - 1, lines, persons, 1)
    flux_date = f"DATE '{_period(month)}-01' AS flux_date"
    return (
        f"SELECT *, 1 AS part FROM ({own}) UNION ALL SELECT * REPLACE ({flux_date}, -quantity AS quantity), 2 AS part"
        f" FROM ({before}) WHERE i % {CANCELLED_EVERY} = 0"
    )


def _own_lines(month: int, lines: int, persons: int, version: int) -> str:
    draw = f"(hash(i, {month}, {version}) %"
    late = f"CASE WHEN hash(i, {month}, 'late') % {LATE_SHARE} = 0 THEN hash(i, 'back') % {LOOK_BACK} ELSE 1 END"
    nature = " ".join(f"WHEN {draw} 100) < {share} THEN '{code}'" for share, code in _NATURES)
    return (
        f"SELECT i, DATE '{_period(month)}-01' AS flux_date, hash(i, {month}, 'person') % {persons} AS k,"
        f" (date_trunc('month', DATE '{_period(month)}-01' - INTERVAL 1 MONTH * {late})"
        f" + INTERVAL 1 DAY * (hash(i, {month}, 'day') % 28))::DATE AS care_date,"
        f" CASE {nature} END AS prs_nat_ref, (1 + hash(i, 'quantity') % 2)::INT AS quantity,"
        f" (hash(i, {month}, 'code') % 200)::INT AS code FROM range({lines}) AS t (i)"
    )


_PRESTATION = (
    f"{_uuid('psa', 'k')} AS ben_nir_psa, '1' AS ben_rng_gem, '075' AS ben_res_dpt,"
    " '101' AS ben_res_com, '0' AS ben_cmu_top,"
    " '0' AS ben_cta_typ, '01C751' AS org_aff_ben, '01C751' AS org_cle_new, care_date AS exe_soi_dtd,"
    " care_date AS exe_soi_dtf,"
    " care_date AS pre_pre_dtd, prs_nat_ref, '0' AS bse_prs_nat, '0' AS cpl_maj_top, '0' AS dpn_qlf,"
    " '0' AS prs_dpn_qlp,"
    f" quantity AS prs_act_qte, 10 * quantity AS prs_pai_mnt, 10 * quantity AS bse_rem_bse,"
    " 7 * quantity AS bse_rem_mnt,"
    f" 0 AS cpl_rem_mnt, {_uuid('pfs', 'code')} AS pfs_exe_num,"
    " (1 + code % 30)::VARCHAR AS pse_spe_cod, '0' AS pse_act_nat,"
    " '1' AS psp_spe_cod, '0' AS psp_act_nat, CASE WHEN code < 20 THEN lpad((75000000 + code)::VARCHAR,"
    " 8, '0') END AS etb_pre_fin"
)
_REFINED = (
    ("er_pha_f", "3312", "(3400930000000 + code)::VARCHAR AS pha_prs_c13, quantity AS pha_act_qsn, '0' AS pha_dec_top"),
    ("er_bio_f", "3211", "code::VARCHAR AS bio_prs_ide, quantity AS bio_act_qsn"),
    (
        "er_cam_f",
        "1352",
        "'ABCD' || lpad(code::VARCHAR, 3, '0') AS cam_prs_ide, '1' AS cam_act_cod, '0' AS cam_trt_pha",
    ),
    (
        "er_tip_f",
        "3513",
        "(1000000 + code)::VARCHAR AS tip_prs_ide, '1' AS tip_prs_typ, quantity AS tip_act_qsn,"
        " care_date + 20 * (code % 3) AS tip_acl_dtd",
    ),
)


def _retire(engine: duckdb.DuckDBPyConnection, dataset: str, period: str | None, tables: tuple[str, ...]) -> None:
    for old in deliveries(engine, dataset):
        if old.status == "current" and period in {None, old.period}:
            register(engine, replace(old, status="superseded"))
            for table in tables:
                engine.execute(f"DELETE FROM lake.{dataset}.{table} WHERE _delivery = '{old.delivery_id}'")


def record_delivery(engine: duckdb.DuckDBPyConnection, dataset: str, period: str, delivery: uuid.UUID) -> None:
    """Write a delivery down in the lake's register, whatever rows there are of it."""
    row = DeliveryRow(
        delivery_id=delivery,
        digest=delivery.hex * 2,
        dataset=dataset,
        period=period,
        producer="test",
        status="current",
        loaded_at=LOADED_AT,
        descriptor_version=1,
        row_count=0,
        rejected_count=0,
        tables="{}",
        files="[]",
        receipt="{}",
        run_id="test",
        sealed_at=LOADED_AT,
    )
    register(engine, row)
