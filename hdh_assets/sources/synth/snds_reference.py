"""The reference of beneficiaries as it stands in a month: every pseudonym a person has had, and long-term illnesses."""

from __future__ import annotations

from datetime import date

import duckdb

from hdh_assets.sources.synth.engine import slots, write_table
from hdh_assets.sources.synth.registry import Order

_NEVER = "DATE '1600-01-01'"
_ARCHIVED_BEFORE = "DATE '2013-01-01'"

# One row per pseudonym a person has, with the days it was in use; death is told on the last one only.
_PSEUDONYM = """
CREATE OR REPLACE TEMP TABLE pseudonym AS
WITH listed AS (
    SELECT person.*, psa_a AS psa, child_rank AS rank, opener_a AS opener, birth_date AS used_from, own_from AS used_to, own_from > {as_of} AS is_last, 0 AS n
    FROM person WHERE has_parents
    UNION ALL
    SELECT person.*, psa_b, child_rank, opener_b, birth_date + 30, own_from, false, 1 FROM person WHERE has_both
    UNION ALL
    SELECT person.*, psa_own, own_rank, opener_own, own_from, DATE '2999-12-31', true, 2 FROM person
),
lived AS (
    SELECT *, death_date < {as_of} - 20 AS is_dead, least(used_to, coalesce(death_date, used_to), {as_of} - 1) AS last_care
    FROM listed WHERE greatest(used_from, DATE '2006-01-01') < {as_of} AND (death_date IS NULL OR used_from < death_date)
)
SELECT *, (least(last_care + pick('last_treated', hash(p, n), 60)::INTEGER, {as_of} - 1)) AS last_treated,
    CASE WHEN move_date <= last_care THEN moved_insee ELSE home_insee END AS insee
FROM lived
"""

BENEFICIARY = f"""
SELECT psa AS ben_nir_psa, rank AS ben_rng_gem, nir_ano AS ben_nir_ano, coalesce(nir_ano, psa || rank) AS ben_idt_ano,
    CASE WHEN nir_ano IS NULL THEN '0' ELSE '1' END AS ben_idt_top, opener AS ass_nir_ano,
    CASE WHEN nir_ano IS NOT NULL THEN greatest(used_from, DATE '2009-06-01') END AS ben_idt_maj, nir_kind AS ben_cdi_nir, birth_year AS ben_nai_ann,
    strftime(birth_date, '%m') AS ben_nai_moi, sex::VARCHAR AS ben_sex_cod,
    CASE WHEN is_dead AND is_last THEN death_date ELSE {_NEVER} END AS ben_dcd_dte,
    CASE WHEN is_dead AND is_last THEN strftime(death_date, '%Y%m') ELSE '160001' END AS ben_dcd_ame,
    scheme || snds_department || '100' AS org_aff_ben, snds_department AS ben_res_dpt, snds_commune AS ben_res_com, '1' AS ben_top_cns,
    last_treated AS max_trt_dtd, scheme || snds_department || '100' AS org_cle_new, greatest(used_from, DATE '2006-01-01') AS ben_dte_ins,
    last_treated AS ben_dte_maj
FROM pseudonym JOIN code_communes USING (insee) WHERE {{which}} ORDER BY i, n
"""

# Exemptions last five years and are renewed by a new row; a few other reasons and open ends appear as in real life.
_EXEMPTION = """
CREATE OR REPLACE TEMP TABLE exemption AS
WITH ill AS (
    SELECT *, unnest(range(illnesses))::INTEGER AS k FROM person WHERE illnesses > 0
),
begun AS (
    SELECT ill.*, icd10, ald, hash(p, k) AS e,
        (greatest(birth_date + min_age::INTEGER * 365, DATE '2008-01-01') + pick('ill_since', hash(p, k), 5400)::INTEGER)::DATE AS since
    FROM ill JOIN illness_slot ON illness_slot.slot = pick('illness', hash(p, k), 1000) AND illness_slot.band = band_of(2024 - birth_year)
         JOIN code_illnesses USING (icd10)
),
renewed AS (
    SELECT *, unnest(range(4))::INTEGER AS renewal FROM begun WHERE death_date IS NULL OR since < death_date
)
SELECT *, (since + renewal * 1826)::DATE AS starts,
    CASE WHEN pick('open', e, 100) < 4 THEN DATE '1600-01-01' WHEN pick('open', e, 100) < 8 THEN DATE '2099-12-31'
         ELSE (since + renewal * 1826 + 1825)::DATE END AS ends,
    CASE WHEN pick('reason', e, 100) < 84 THEN '41' WHEN pick('reason', e, 100) < 90 THEN '43' WHEN pick('reason', e, 100) < 94 THEN '45'
         WHEN pick('reason', e, 100) < 97 THEN '12' ELSE '13' END AS reason
FROM renewed
WHERE since + renewal * 1826 + 20 < {as_of} AND (death_date IS NULL OR since + renewal * 1826 < death_date) AND (renewal = 0 OR pick('open', e, 100) >= 8)
"""

EXEMPTION = """
SELECT CASE WHEN starts < own_from THEN psa_a ELSE psa_own END AS ben_nir_psa, CASE WHEN starts < own_from THEN child_rank ELSE own_rank END AS ben_rng_gem,
    starts AS imb_ald_dtd, ends AS imb_ald_dtf, CASE WHEN reason = '41' THEN ald ELSE '0' END AS imb_ald_num, reason AS imb_etm_nat,
    CASE WHEN reason = '12' THEN '057' END AS imb_mlp_tab, icd10 AS med_mtf_cod, 'CIM10' AS med_ncl_idt, starts + 15 AS ins_dte, starts + 15 AS upd_dte
FROM exemption ORDER BY i, k, renewal
"""

QUERIES = {
    "ir_ben_r": BENEFICIARY.format(which=f"last_care >= {_ARCHIVED_BEFORE}"),
    "ir_ben_r_arc": BENEFICIARY.format(which=f"last_care < {_ARCHIVED_BEFORE}"),
    "ir_imb_r": EXEMPTION,
}


def write_reference(con: duckdb.DuckDBPyConnection, order: Order, as_of: date) -> dict[str, int]:
    """Write the tables of the reference that the dataset describes, as known on the first day of the period."""
    tables = [table for table in order.dataset.tables if table.lake_name in QUERIES]
    if not tables:
        return {}
    if not con.execute("FROM duckdb_tables() WHERE table_name = 'illness_slot'").fetchall():
        _prepare(con)
    con.execute(_PSEUDONYM.format(as_of=f"DATE '{as_of}'"))
    con.execute(_EXEMPTION.format(as_of=f"DATE '{as_of}'"))
    return {
        f"{table.name}.csv": write_table(
            con, QUERIES[table.lake_name], table, order.dataset.format, order.folder / f"{table.name}.csv"
        )
        for table in tables
    }


def _prepare(con: duckdb.DuckDBPyConnection) -> None:
    slots(
        con,
        "illness_slot",
        """SELECT b.range::INTEGER AS band, icd10, weight::INTEGER AS weight, position FROM code_illnesses JOIN range(5) b
           ON min_age::INTEGER <= [1, 15, 39, 64, 120][1 + b.range] AND max_age::INTEGER >= [0, 2, 16, 40, 65][1 + b.range]""",
        "band",
        "icd10",
    )
