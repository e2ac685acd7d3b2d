    claim_number AS dct_ord_num, {flux} AS flx_dis_dtd,
    1 + (ascii(zone) + ascii(substr(zone, 2))) % 27 AS flx_emt_num,
    {ordinal} AS flx_emt_ord, CASE scheme WHEN '02A' THEN 2 WHEN '03A' THEN 3 ELSE 1 END AS flx_emt_typ,
    treat_date AS flx_trt_dtd,
    scheme || dpt || '100' AS org_cle_num, rank AS prs_ord_num, act_type AS rem_typ_aff,
    scheme || dpt || '100' AS org_cle_new
