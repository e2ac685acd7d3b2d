CREATE OR REPLACE TEMP TABLE line AS
WITH ranked AS (
    SELECT *, unnest(range(line_count))::INTEGER AS r FROM claim
),
drawn AS (
    SELECT ranked.*, hash(c, r) AS l, item.item, item.code, item.other_code, item.units, item.detail,
        coalesce(item.prestation, ranked.prestation) AS nature, coalesce(item.rate, ranked.rate) AS base_rate,
        CASE WHEN ranked.pool = 'lab' THEN ranked.price ELSE coalesce(item.price, ranked.price) END AS unit_price
    FROM ranked
    LEFT JOIN item_slot ON item_slot.pool = ranked.pool AND item_slot.band = ranked.band
        AND item_slot.sex = ranked.sex
        AND slot = pick('item', CASE WHEN percent('habit', hash(c, r), 60) THEN hash(p, r) ELSE hash(c, r) END, 1000)
    LEFT JOIN item ON item.item = item_slot.item
),
measured AS (
    SELECT drawn.*, coefficients.total,
        CASE WHEN sign = 1 AND back > 0 THEN 1
             WHEN drawn.pool = 'drug' THEN [1, 1, 1, 1, 1, 1, 1, 1, 2, 3][1 + pick('boxes', l, 10)]
             WHEN service = 'daily_allowance' THEN 3 + pick('days', l, 12) ELSE 1 END * sign AS quantity,
        CASE WHEN service IN ('nurse', 'nurse_care') THEN 1 + pick('coefficient', l, 4)
             WHEN drawn.pool = 'lab' THEN coalesce(total, 0) ELSE 1 END AS coefficient,
        1 AS act_type, r + 1 AS rank
    FROM drawn LEFT JOIN (
        SELECT claim_number, sum(coefficient)::BIGINT AS total FROM test GROUP BY ALL
    ) coefficients USING (claim_number)
),
all_lines AS (
    SELECT i, p, c, l, sex, birth_year, birth_date, death_date, age, nir_kind, scheme, psa, psa_rank, dpt, com,
    zone, care_date, treat_date, back, sign,
        claim_number, service, pool, taa, category, is_prescribed, days, spe, activity, care_place, is_exempt, item,
        code, other_code, units, detail,
        nature, base_rate, unit_price, quantity, coefficient, act_type, rank, 0 AS complement
    FROM measured
    UNION ALL
    SELECT i, p, c, hash(c, 1000), sex, birth_year, birth_date, death_date, age, nir_kind, scheme, psa, psa_rank,
    dpt, com, zone, care_date, treat_date, back, sign,
        claim_number, service, NULL, NULL, NULL, is_prescribed, 0, spe, activity, care_place, is_exempt, NULL, NULL,
        NULL, NULL, NULL,
        extra, rate, extra_price, sign, 1, CASE WHEN extra = '3223' THEN 1 ELSE 2 END,
        CASE WHEN extra = '3223' THEN line_count + 1 ELSE 1 END,
        CASE extra WHEN '3223' THEN 0 WHEN '1126' THEN 1 ELSE 2 END
    FROM claim WHERE extra IS NOT NULL AND percent('extra', c, extra_percent)
)
SELECT *, CASE WHEN is_exempt THEN 100 ELSE base_rate END AS paid_rate,
    CAST(unit_price * coefficient * quantity AS DECIMAL(11, 2)) AS base,
    CASE WHEN complement = 0 AND activity = '0' AND spe NOT IN ('0', '1', '22') AND taa IS NULL
        AND percent('excess', l, 25)
         THEN CAST(unit_price * quantity * 6 / 10 AS DECIMAL(11, 2)) ELSE 0::DECIMAL(11, 2) END AS excess
FROM all_lines ORDER BY claim_number, rank, act_type
