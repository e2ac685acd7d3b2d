SELECT starts AS start,
    CASE WHEN category = 'acute' THEN starts + to_days((5 + pick('course', f, 20))::INTEGER) END AS stop,
    id AS patient,
    payer_id(payer_of(payer_draw)) AS payer, encounter, code, label AS description, unit::DECIMAL(18, 2) AS base_cost,
    covered(payer_draw, unit::DECIMAL(18, 2)) AS payer_coverage,
    CASE category WHEN 'acute' THEN 1 ELSE 1 + pick('dispensed', f, 12) END AS dispenses,
    (unit::DECIMAL(18, 2) * CASE category
        WHEN 'acute' THEN 1 ELSE 1 + pick('dispensed', f, 12) END)::DECIMAL(18, 2) AS totalcost
FROM finding WHERE kind = 'medication' ORDER BY i, v
