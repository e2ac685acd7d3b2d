CREATE TABLE item AS
WITH listed AS (
    SELECT 'drug' AS pool, cip13 AS code, cip7 AS other_code, price, rate, units,
        CASE rate WHEN '65' THEN '3313' WHEN '30' THEN '3312' WHEN '15' THEN '3341' ELSE '3311' END AS prestation,
        weight, min_age, max_age, sex, NULL AS detail, 1 AS list, position FROM code_drugs
    UNION ALL SELECT 'act' || prestation, ccam, NULL, price, NULL, NULL, NULL, weight, min_age, max_age, sex,
    activities, 2, position FROM code_acts
    UNION ALL SELECT 'lab', nabm, NULL, b_coefficient, NULL, NULL, NULL, weight, '0', '120', NULL, NULL, 3,
    position FROM code_lab_tests
    UNION ALL SELECT 'device' || prestation, lpp, NULL, price, NULL, NULL, NULL, weight, '0', '120', NULL, kind, 4,
    position FROM code_devices
    UNION ALL SELECT 'ucd' || top_ucd, ucd, NULL, price, NULL, NULL, NULL, weight, '0', '120', NULL, top_ucd, 5,
    position FROM code_hospital_drugs
)
SELECT row_number() OVER (ORDER BY list, position)::INTEGER AS item, pool, code, other_code,
price::DECIMAL(11, 2) AS price,
    rate::INTEGER AS rate, units::INTEGER AS units, prestation, weight::INTEGER AS weight,
    min_age::INTEGER AS min_age,
    max_age::INTEGER AS max_age, sex::INTEGER AS sex, detail
FROM listed
