SELECT {keys}, (1 + j)::INTEGER AS cam_ord_num, CASE WHEN supplement THEN 'YYYY600' ELSE code END AS cam_prs_ide,
    activity_code AS cam_act_cod, '0' AS cam_trt_pha, CASE WHEN supplement THEN NULL ELSE '1' END AS cam_ass_cod,
    CASE WHEN percent('modifier', l, 20)
        THEN ['K', 'J', 'A', 'F'][1 + pick('modifier_kind', l, 4)] END AS cam_mod_cod, '0' AS cam_rem_cod,
    CASE WHEN code LIKE 'HB%' THEN (11 + pick('tooth', l, 28))::VARCHAR END AS cam_qua_den,
    CASE WHEN supplement THEN 0.75
        WHEN activity_code = '4' THEN unit_price * 4 / 10 ELSE unit_price END::DECIMAL(9, 2) AS cam_act_pru,
    CASE WHEN supplement THEN 0.75
        WHEN activity_code = '4' THEN unit_price * 4 / 10 ELSE unit_price END::DECIMAL(9, 2) AS cam_rem_bse
FROM (
    SELECT *, acts[1 + j] AS activity_code, j > 0 AND acts[1 + j] = '1' AS supplement
    FROM (
        SELECT *, unnest(range(len(acts)))::INTEGER AS j FROM (
            SELECT *, CASE WHEN detail = '1,4' AND percent('asleep', l, 60) THEN ['1', '4']
                           WHEN nature = '1351' AND code <> 'YYYY600' AND percent('archive', l, 15)
                               THEN ['1', '1'] ELSE ['1'] END AS acts
            FROM line WHERE pool LIKE 'act%'
        )
    )
)
ORDER BY claim_number, rank, j
