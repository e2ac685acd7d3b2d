"""The columns of the DCIR files, as queries over `line` and `test`. Which lines there are is decided in `snds_claims.py`."""

from __future__ import annotations

from datetime import date

_NEVER = "DATE '1600-01-01'"

KEYS = """
    claim_number AS dct_ord_num, {flux} AS flx_dis_dtd, 1 + (ascii(zone) + ascii(substr(zone, 2))) % 27 AS flx_emt_num,
    {ordinal} AS flx_emt_ord, CASE scheme WHEN '02A' THEN 2 WHEN '03A' THEN 3 ELSE 1 END AS flx_emt_typ, treat_date AS flx_trt_dtd,
    scheme || dpt || '100' AS org_cle_num, rank AS prs_ord_num, act_type AS rem_typ_aff,
    scheme || dpt || '100' AS org_cle_new
"""
"""The nine keys and the fund every refined table repeats."""

_OWN_DOCTOR = "lpad((10000000 + rnd('own_doctor', p) % 60000)::VARCHAR, 8, '0') || '1'"
_PROVIDER = f"""CASE WHEN taa = '1' THEN '00000000' WHEN service LIKE 'gp%' AND percent('own', c, 80) THEN {_OWN_DOCTOR}
    ELSE lpad((20000000 + coalesce(activity, '0')::BIGINT * 100000 + spe::BIGINT * 1000 + rnd('provider', hash(p, pick('which', c, 3))) % 900)::VARCHAR, 8, '0') || '2' END"""
_ESTABLISHMENT = "zone || '0' || lpad((10000 + rnd('establishment', hash(zone, service)) % 40)::VARCHAR, 5, '0')"

PRS = f"""
SELECT {{keys}}, scheme || dpt || '100' AS org_aff_ben,
    psa AS ben_nir_psa, psa_rank AS ben_rng_gem, nir_kind AS ben_cdi_nir, sex::VARCHAR AS ben_sex_cod, birth_year AS ben_nai_ann,
    CASE WHEN age < 2 THEN date_diff('month', birth_date, care_date) ELSE age END::VARCHAR AS ben_ama_cod, dpt AS ben_res_dpt, com AS ben_res_com,
    CASE WHEN death_date <= treat_date THEN death_date ELSE {_NEVER} END AS ben_dcd_dte,
    CASE WHEN death_date <= treat_date THEN strftime(death_date, '%Y%m') ELSE '160001' END AS ben_dcd_ame,
    CASE WHEN age < 18 THEN '30' ELSE '10' END AS ben_qaf_cod,
    CASE WHEN percent('state_cover', p, 9) THEN '1' ELSE '0' END AS ben_cmu_top, '0' AS ben_cmu_cat, '0' AS ben_pai_cmu,
    CASE WHEN percent('state_cover', p, 9) THEN '89' ELSE '0' END AS ben_cta_typ, 'ZZZ' AS ben_drt_spf, '00' AS ben_iat_cat, '0' AS ben_ehp_top,
    care_date AS exe_soi_dtd,
    CASE WHEN days > 0 THEN CASE WHEN death_date < care_date + days THEN death_date ELSE care_date + days END
         WHEN percent('no_end', c, 4) THEN {_NEVER} ELSE care_date END AS exe_soi_dtf,
    strftime(care_date, '%Y%m') AS exe_soi_amd,
    CASE WHEN percent('no_end', c, 4) AND days = 0 THEN '160001' ELSE strftime(care_date, '%Y%m') END AS exe_soi_amf,
    CASE WHEN is_prescribed THEN greatest(birth_date, care_date - pick('prescribed', c, 20)::INTEGER) ELSE care_date END AS pre_pre_dtd,
    CASE WHEN is_prescribed THEN strftime(greatest(birth_date, care_date - pick('prescribed', c, 20)::INTEGER), '%Y%m') ELSE strftime(care_date, '%Y%m') END AS pre_pre_amd,
    CASE WHEN service IN ('private_stay', 'stay_drug', 'surgery') THEN care_date ELSE {_NEVER} END AS prs_hos_dtd,
    CASE WHEN service IN ('private_stay', 'stay_drug', 'surgery') THEN strftime(care_date, '%Y%m') ELSE '160001' END AS prs_hos_amd,
    {_NEVER} AS prs_grs_dtd, '160001' AS prs_dra_ame,
    nature AS prs_nat_ref, CASE WHEN complement = 0 THEN nature ELSE '0' END AS bse_prs_nat, CASE WHEN complement = 0 THEN '0' ELSE nature END AS cpl_prs_nat,
    complement::VARCHAR AS cpl_maj_top, CASE complement WHEN 0 THEN '0' WHEN 1 THEN '18' ELSE '10' END AS cpl_aff_cod, '0' AS cpl_ano_cod, '8' AS cpl_fjh_typ,
    '8' AS bse_fjh_typ, 'ZZ' AS prs_typ_maj,
    CASE WHEN taa = '1' AND percent('information', c, 40) THEN '71' WHEN excess > 0 THEN '14' ELSE '0' END AS dpn_qlf,
    CASE WHEN taa = '1' AND percent('information', c, 40) THEN CASE WHEN percent('sent', c, 50) THEN '71' END WHEN excess > 0 THEN '14' ELSE '0' END AS prs_dpn_qlp,
    '0' AS prs_rej_top, place AS exe_lie_cod, CASE WHEN taa = '1' THEN '1' ELSE '2' END AS prs_ppu_sec,
    quantity::DECIMAL(9, 2) AS prs_act_qte, quantity::DECIMAL(9, 2) AS prs_act_nbr, coefficient::DECIMAL(9, 2) AS prs_act_cft, coefficient::DECIMAL(9, 2) AS prs_act_cog,
    base + excess AS prs_pai_mnt, excess AS prs_dep_mnt,
    CASE WHEN complement = 0 THEN base ELSE 0 END AS bse_rem_bse, CASE WHEN complement = 0 THEN CAST(base * paid_rate / 100 AS DECIMAL(11, 2)) ELSE 0 END AS bse_rem_mnt,
    CASE WHEN complement = 0 THEN unit_price ELSE 0 END::DECIMAL(14, 5) AS bse_rem_pru, CASE WHEN complement > 0 THEN '0' WHEN sign > 0 THEN '1' ELSE '2' END AS bse_rem_sgn,
    CASE WHEN complement > 0 THEN base END AS cpl_rem_bse, CASE WHEN complement > 0 THEN CAST(base * paid_rate / 100 AS DECIMAL(11, 2)) END AS cpl_rem_mnt,
    CASE WHEN complement > 0 THEN unit_price END::DECIMAL(14, 5) AS cpl_rem_pru, CASE WHEN complement = 0 THEN '0' WHEN sign > 0 THEN '1' ELSE '2' END AS cpl_rem_sgn,
    CASE WHEN complement > 0 THEN paid_rate END::DECIMAL(5, 2) AS cpl_rem_tau, 0::DECIMAL(11, 2) AS rgo_mod_mnt,
    paid_rate::DECIMAL(5, 2) AS rgo_rem_tau, base_rate::DECIMAL(5, 2) AS rgo_the_tau, 0::DECIMAL(5, 2) AS rgo_min_tau, '0' AS rgo_fta_cod,
    CASE WHEN nature = '1911' THEN '30' ELSE '10' END AS rgo_asu_nat, CASE WHEN taa IS NULL THEN '1' ELSE '2' END AS rgo_env_typ,
    CASE scheme WHEN '02A' THEN '200' WHEN '03A' THEN '300' ELSE '100' END AS rgm_cod, CASE scheme WHEN '02A' THEN '2' WHEN '03A' THEN '3' ELSE '1' END AS rgm_grg_cod,
    CASE WHEN is_exempt THEN '42' ELSE '0' END AS exo_mtf, '0' AS mtm_nat, '1' AS drg_mod, CASE WHEN is_prescribed THEN '35' ELSE '10' END AS drg_nat,
    '99' AS drg_aff_nat, '0' AS acc_tie_ind, CASE WHEN excess <> 0 THEN '2' ELSE '1' END AS prs_ops_trf, '01C001' AS orb_bse_num, '01C001' AS orl_bse_num,
    CASE WHEN activity = '0' THEN ['1', '3', '23', '24'][1 + pick('pathway', c, 4)] ELSE '0' END AS prs_pds_qcp, '0' AS prs_pds_qtp,
    CASE WHEN is_exempt THEN 'N' ELSE 'S' END AS prs_ppf_cod, CASE WHEN is_prescribed THEN '1' ELSE '0' END AS prs_pre_mtt, '0' AS prs_crd_opt, '0' AS pre_ren_cod,
    'ZZ' AS prs_ref_kin, '0' AS prs_top_enp, CASE WHEN activity = '26' THEN 'K' ELSE 'Z' END AS prs_typ_kin, '0' AS pse_ref_adh, '0' AS psp_ref_adh,
    CASE WHEN service <> 'private_stay' THEN {_PROVIDER} END AS pfs_exe_num,
    CASE WHEN is_prescribed THEN {_OWN_DOCTOR} END AS pfs_pre_num, CASE WHEN age >= 16 THEN {_OWN_DOCTOR} END AS prs_mtt_num,
    CASE WHEN activity <> '0' THEN '0' ELSE spe END AS pse_spe_cod, activity AS pse_act_nat, CASE WHEN taa = '1' THEN '61' ELSE '51' END AS pse_stj_cod,
    CASE WHEN excess <> 0 THEN '3' ELSE '1' END AS pse_cnv_cod, CASE WHEN is_prescribed THEN '1' ELSE '99' END AS psp_spe_cod, '0' AS psp_act_nat,
    CASE WHEN is_prescribed THEN '51' ELSE '98' END AS psp_stj_cod, '1' AS psp_cnv_cod, '0' AS psp_svi_pps,
    CASE WHEN taa IS NOT NULL OR service = 'outpatient_hospital_drug' THEN {_ESTABLISHMENT} END AS etb_pre_fin
FROM line
"""

PHA = """
SELECT {keys}, (1 + j)::INTEGER AS pha_ord_num,
    CASE WHEN percent('no_code', hash(l, j), 0.3) THEN '0' WHEN percent('old_code', hash(l, j), 0.5) THEN NULL ELSE code END AS pha_prs_c13,
    other_code AS pha_prs_ide, '0' AS pha_ide_cpl, quantity AS pha_act_qsn, unit_price::DECIMAL(14, 5) AS pha_act_pru,
    CASE WHEN percent('opened', hash(l, j), 2) THEN CASE WHEN percent('older', l, 20) THEN '1' ELSE 'D' END ELSE 'Z' END AS pha_dec_top,
    CASE WHEN percent('opened', hash(l, j), 2) THEN sign * (1 + pick('units', l, greatest(1, units))) ELSE 0 END AS pha_dec_qsu,
    CASE WHEN percent('opened', hash(l, j), 2) THEN CAST(unit_price / greatest(1, units) AS DECIMAL(9, 2)) END AS pha_dec_pru,
    CASE WHEN percent('brand', l, 3) THEN 'M' ELSE 'Z' END AS pha_mod_prn, pick('renewed', l, 4)::VARCHAR AS pha_seq_rnv,
    CASE WHEN percent('generic', l, 30) THEN '2' ELSE '0' END AS pha_sub_mtf
FROM (SELECT *, unnest(CASE WHEN percent('second', l, 4) THEN [0, 1] ELSE [0] END) AS j FROM line WHERE pool = 'drug')
ORDER BY claim_number, rank, j
"""

CAM = """
SELECT {keys}, (1 + j)::INTEGER AS cam_ord_num, CASE WHEN supplement THEN 'YYYY600' ELSE code END AS cam_prs_ide,
    activity_code AS cam_act_cod, '0' AS cam_trt_pha, CASE WHEN supplement THEN NULL ELSE '1' END AS cam_ass_cod,
    CASE WHEN percent('modifier', l, 20) THEN ['K', 'J', 'A', 'F'][1 + pick('modifier_kind', l, 4)] END AS cam_mod_cod, '0' AS cam_rem_cod,
    CASE WHEN code LIKE 'HB%' THEN (11 + pick('tooth', l, 28))::VARCHAR END AS cam_qua_den,
    CASE WHEN supplement THEN 0.75 WHEN activity_code = '4' THEN unit_price * 4 / 10 ELSE unit_price END::DECIMAL(9, 2) AS cam_act_pru,
    CASE WHEN supplement THEN 0.75 WHEN activity_code = '4' THEN unit_price * 4 / 10 ELSE unit_price END::DECIMAL(9, 2) AS cam_rem_bse
FROM (
    SELECT *, acts[1 + j] AS activity_code, j > 0 AND acts[1 + j] = '1' AS supplement
    FROM (
        SELECT *, unnest(range(len(acts)))::INTEGER AS j FROM (
            SELECT *, CASE WHEN detail = '1,4' AND percent('asleep', l, 60) THEN ['1', '4']
                           WHEN nature = '1351' AND code <> 'YYYY600' AND percent('archive', l, 15) THEN ['1', '1'] ELSE ['1'] END AS acts
            FROM line WHERE pool LIKE 'act%'
        )
    )
)
ORDER BY claim_number, rank, j
"""

BIO = """
SELECT {keys}, (1 + j)::INTEGER AS bio_ord_num,
    CASE WHEN percent('unpadded', hash(c, j), 70) THEN ltrim(test.code, '0') ELSE test.code END AS bio_prs_ide, test.sign AS bio_act_qsn
FROM line JOIN test USING (claim_number, c) WHERE pool = 'lab' ORDER BY claim_number, rank, j
"""

TIP = f"""
SELECT {{keys}}, 1 AS tip_ord_num,
    CASE WHEN percent('no_code', l, 0.3) THEN '9999999999999' WHEN percent('padded', l, 10) THEN lpad(code, 13, '0') ELSE code END AS tip_prs_ide,
    detail AS tip_prs_typ, quantity AS tip_act_qsn, unit_price::DECIMAL(14, 5) AS tip_act_pru, CAST(unit_price * 11 / 10 AS DECIMAL(11, 2)) AS tip_pub_prx,
    care_date AS tip_acl_dtd, CASE WHEN detail = '1' THEN {_NEVER} WHEN death_date < care_date + 7 THEN death_date ELSE care_date + 7 END AS tip_acl_dtf,
    lpad((rnd('maker', hash(code)) % 100000000000000)::VARCHAR, 14, '0') AS tip_sir_num
FROM line WHERE pool LIKE 'device%' ORDER BY claim_number, rank
"""

UCD = """
SELECT {keys}, 1 AS ucd_ord_num, rank AS ucd_lgn_num, code AS ucd_ucd_cod, detail AS ucd_top_ucd, 1 + pick('units', l, 4) AS ucd_dlv_nbr,
    1::DECIMAL(9, 4) AS ucd_frc_coe, unit_price AS ucd_fac_pru, unit_price AS ucd_ach_pru, 0::DECIMAL(11, 2) AS ucd_cal_pru,
    CAST(unit_price * (1 + pick('units', l, 4)) * sign AS DECIMAL(11, 2)) AS ucd_ttf_mnt,
    CASE detail WHEN '0' THEN 22 ELSE 0 END::DECIMAL(11, 2) AS ucd_mar_mnt, 0::DECIMAL(11, 2) AS ucd_rct_cou,
    0::DECIMAL(11, 2) AS ucd_ect_mnt, 0::DECIMAL(11, 2) AS ucd_ecu_mnt
FROM line WHERE pool LIKE 'ucd%' ORDER BY claim_number, rank
"""

ETE = f"""
SELECT {{keys}}, {_ESTABLISHMENT} AS etb_exe_fin, category AS ete_cat_cod, CASE taa WHEN '2' THEN '4' ELSE '1' END AS ete_typ_cod,
    CASE taa WHEN '2' THEN '72' ELSE '13' END AS ete_stj_cod, taa AS ete_ind_taa,
    CASE WHEN service = 'private_stay' THEN (1000 + pick('group', c, 8000))::VARCHAR ELSE '0' END AS ete_ghs_num,
    CASE WHEN service IN ('private_stay', 'stay_drug') THEN ['C', 'M', 'O'][1 + pick('field', c, 3)] WHEN service = 'surgery' THEN 'C' ELSE 'Z' END AS ete_mco_ddp,
    1::DECIMAL(9, 4) AS ete_mco_coe, CASE WHEN death_date <= care_date + days AND days > 0 THEN 'D' WHEN days > 0 THEN 'S' END AS ete_nat_fsj,
    '174' AS ddp_cod, CASE WHEN service LIKE '%emergency' THEN '10' WHEN days > 0 THEN '3' WHEN service = 'surgery' THEN '23' ELSE '7' END AS mdt_cod,
    CASE taa WHEN '2' THEN '7' ELSE '3' END AS mft_cod, CASE WHEN taa = '2' THEN '2' ELSE '1' END AS prs_ppu_sec
FROM line WHERE category IS NOT NULL ORDER BY claim_number, rank
"""

QUERIES = {
    "er_prs_f": PRS,
    "er_pha_f": PHA,
    "er_cam_f": CAM,
    "er_bio_f": BIO,
    "er_tip_f": TIP,
    "er_ucd_f": UCD,
    "er_ete_f": ETE,
}


def query_for(table: str, flux: date) -> str | None:
    """The query giving the rows of a DCIR table in a flux; None when nothing is made for it."""
    if table not in QUERIES:
        return None
    keys = KEYS.format(flux=f"DATE '{flux}'", ordinal=(flux.year - 2000) * 12 + flux.month)
    return QUERIES[table].format(keys=keys)
