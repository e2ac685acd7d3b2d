SELECT psa AS ben_nir_psa, rank AS ben_rng_gem, nir_ano AS ben_nir_ano, coalesce(nir_ano, psa || rank) AS ben_idt_ano,
    CASE WHEN nir_ano IS NULL THEN '0' ELSE '1' END AS ben_idt_top, opener AS ass_nir_ano,
    CASE WHEN nir_ano IS NOT NULL THEN greatest(used_from, DATE '2009-06-01') END AS ben_idt_maj,
    nir_kind AS ben_cdi_nir, birth_year AS ben_nai_ann,
    strftime(birth_date, '%m') AS ben_nai_moi, sex::VARCHAR AS ben_sex_cod,
    CASE WHEN is_dead AND is_last THEN death_date ELSE never() END AS ben_dcd_dte,
    CASE WHEN is_dead AND is_last THEN strftime(death_date, '%Y%m') ELSE '160001' END AS ben_dcd_ame,
    scheme || snds_department || '100' AS org_aff_ben, snds_department AS ben_res_dpt, snds_commune AS ben_res_com,
    '1' AS ben_top_cns,
    last_treated AS max_trt_dtd, scheme || snds_department || '100' AS org_cle_new,
    greatest(used_from, DATE '2006-01-01') AS ben_dte_ins,
    last_treated AS ben_dte_maj
FROM pseudonym JOIN code_communes USING (insee) WHERE {which} ORDER BY i, n
