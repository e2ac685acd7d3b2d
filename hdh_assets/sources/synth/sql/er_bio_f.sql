SELECT {keys}, (1 + j)::INTEGER AS bio_ord_num,
    CASE WHEN percent('unpadded', hash(c, j), 70) THEN ltrim(test.code, '0') ELSE test.code END AS bio_prs_ide,
    test.sign AS bio_act_qsn
FROM line JOIN test USING (claim_number, c) WHERE pool = 'lab' ORDER BY claim_number, rank, j
