SELECT {keys}, (1 + j)::INTEGER AS pha_ord_num,
    CASE WHEN percent('no_code', hash(l, j), 0.3) THEN '0'
        WHEN percent('old_code', hash(l, j), 0.5) THEN NULL ELSE code END AS pha_prs_c13,
    other_code AS pha_prs_ide, '0' AS pha_ide_cpl, quantity AS pha_act_qsn, unit_price::DECIMAL(14, 5) AS pha_act_pru,
    CASE WHEN percent('opened', hash(l, j), 2) THEN CASE
        WHEN percent('older', l, 20) THEN '1' ELSE 'D' END ELSE 'Z' END AS pha_dec_top,
    CASE WHEN percent('opened', hash(l, j), 2) THEN sign * (1 + pick('units', l, greatest(1, units)))
        ELSE 0 END AS pha_dec_qsu,
    CASE WHEN percent('opened', hash(l, j), 2)
        THEN CAST(unit_price / greatest(1, units) AS DECIMAL(9, 2)) END AS pha_dec_pru,
    CASE WHEN percent('brand', l, 3) THEN 'M' ELSE 'Z' END AS pha_mod_prn,
    pick('renewed', l, 4)::VARCHAR AS pha_seq_rnv,
    CASE WHEN percent('generic', l, 30) THEN '2' ELSE '0' END AS pha_sub_mtf
FROM (SELECT *, unnest(CASE WHEN percent('second', l, 4) THEN [0, 1] ELSE [0] END) AS j FROM line WHERE pool = 'drug')
ORDER BY claim_number, rank, j
