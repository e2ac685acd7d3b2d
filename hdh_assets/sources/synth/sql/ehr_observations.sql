WITH asked AS (
    SELECT *, unnest(range(3 + pick('observed', v, 8)))::INTEGER AS j FROM visit
),
taken AS (
    SELECT asked.* EXCLUDE (code, label), hash(v, 'observation', j) AS o, e.code, e.label, e.low, e.high, e.unit,
    e.category
    FROM asked JOIN ehr_slot s ON s.kind = 'observation' AND s.band = asked.band
        AND s.slot = pick('code', hash(v, 'observation', j), 1000)
        JOIN code_ehr e ON e.position = s.position
),
-- The same item is not measured twice in a visit.
kept AS (
    SELECT * FROM taken QUALIFY row_number() OVER (PARTITION BY v, code ORDER BY j) = 1
)
SELECT starts AS date, id AS patient, encounter, category, code, label AS description,
    CASE WHEN low IS NOT NULL THEN round(low::DOUBLE + unit('value', o) * (high::DOUBLE - low::DOUBLE), 1)::VARCHAR
         WHEN code = '56799-0' THEN (1 + pick('street', family, 180)) || ' rue Victor Hugo'
         ELSE ['Never smoker', 'Former smoker', 'Smokes tobacco daily (finding)'][1 + pick('smoker', p,
         3)] END AS value,
    unit AS units, CASE WHEN low IS NULL THEN 'text' ELSE 'numeric' END AS type
FROM kept ORDER BY i, v, j
