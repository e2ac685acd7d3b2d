SELECT {keys}, 1 AS ucd_ord_num, rank AS ucd_lgn_num, code AS ucd_ucd_cod, detail AS ucd_top_ucd,
1 + pick('units', l, 4) AS ucd_dlv_nbr,
    1::DECIMAL(9, 4) AS ucd_frc_coe, unit_price AS ucd_fac_pru, unit_price AS ucd_ach_pru,
    0::DECIMAL(11, 2) AS ucd_cal_pru,
    CAST(unit_price * (1 + pick('units', l, 4)) * sign AS DECIMAL(11, 2)) AS ucd_ttf_mnt,
    CASE detail WHEN '0' THEN 22 ELSE 0 END::DECIMAL(11, 2) AS ucd_mar_mnt, 0::DECIMAL(11, 2) AS ucd_rct_cou,
    0::DECIMAL(11, 2) AS ucd_ect_mnt, 0::DECIMAL(11, 2) AS ucd_ecu_mnt
FROM line WHERE pool LIKE 'ucd%' ORDER BY claim_number, rank
