SELECT starts::DATE AS start,
    CASE WHEN category = 'acute' AND starts::DATE + unit::INTEGER < {as_of}
         THEN least(starts::DATE + unit::INTEGER, coalesce(death_date, DATE '2999-12-31')) END AS stop,
    id AS patient, encounter, code, label AS description
FROM finding WHERE kind = 'condition' ORDER BY i, v
