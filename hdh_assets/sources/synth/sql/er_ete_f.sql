SELECT {keys}, establishment(zone, service) AS etb_exe_fin, category AS ete_cat_cod,
CASE taa WHEN '2' THEN '4' ELSE '1' END AS ete_typ_cod,
    CASE taa WHEN '2' THEN '72' ELSE '13' END AS ete_stj_cod, taa AS ete_ind_taa,
    CASE WHEN service = 'private_stay' THEN (1000 + pick('group', c, 8000))::VARCHAR ELSE '0' END AS ete_ghs_num,
    CASE WHEN service IN ('private_stay', 'stay_drug') THEN ['C', 'M', 'O'][1 + pick('field', c, 3)]
        WHEN service = 'surgery' THEN 'C' ELSE 'Z' END AS ete_mco_ddp,
    1::DECIMAL(9, 4) AS ete_mco_coe,
    CASE WHEN death_date <= care_date + days AND days > 0 THEN 'D' WHEN days > 0 THEN 'S' END AS ete_nat_fsj,
    '174' AS ddp_cod, CASE WHEN service LIKE '%emergency' THEN '10' WHEN days > 0 THEN '3'
        WHEN service = 'surgery' THEN '23' ELSE '7' END AS mdt_cod,
    CASE taa WHEN '2' THEN '7' ELSE '3' END AS mft_cod, CASE WHEN taa = '2' THEN '2' ELSE '1' END AS prs_ppu_sec
FROM line WHERE category IS NOT NULL ORDER BY claim_number, rank
