SELECT CASE WHEN starts < own_from THEN psa_a ELSE psa_own END AS ben_nir_psa,
CASE WHEN starts < own_from THEN child_rank ELSE own_rank END AS ben_rng_gem,
    starts AS imb_ald_dtd, ends AS imb_ald_dtf, CASE WHEN reason = '41' THEN ald ELSE '0' END AS imb_ald_num,
    reason AS imb_etm_nat,
    CASE WHEN reason = '12' THEN '057' END AS imb_mlp_tab, icd10 AS med_mtf_cod, 'CIM10' AS med_ncl_idt,
    starts + 15 AS ins_dte, starts + 15 AS upd_dte
FROM exemption ORDER BY i, k, renewal
