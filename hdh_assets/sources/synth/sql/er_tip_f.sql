SELECT {keys}, 1 AS tip_ord_num,
    CASE WHEN percent('no_code', l, 0.3) THEN '9999999999999'
        WHEN percent('padded', l, 10) THEN lpad(code, 13, '0') ELSE code END AS tip_prs_ide,
    detail AS tip_prs_typ, quantity AS tip_act_qsn, unit_price::DECIMAL(14, 5) AS tip_act_pru,
    CAST(unit_price * 11 / 10 AS DECIMAL(11, 2)) AS tip_pub_prx,
    care_date AS tip_acl_dtd,
    CASE WHEN detail = '1' THEN never()
        WHEN death_date < care_date + 7 THEN death_date ELSE care_date + 7 END AS tip_acl_dtf,
    lpad((rnd('maker', hash(code)) % 100000000000000)::VARCHAR, 14, '0') AS tip_sir_num
FROM line WHERE pool LIKE 'device%' ORDER BY claim_number, rank
