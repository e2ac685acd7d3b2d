WITH asked AS (
    SELECT *, unnest(range(1 + pick('allergies', p, 3)))::INTEGER AS j
    FROM (SELECT *
        FROM visit QUALIFY row_number() OVER (PARTITION BY i ORDER BY starts, v) = 1) WHERE percent('allergic', p, 12)
)
SELECT starts::DATE AS start, id AS patient, encounter, e.code, e.unit AS system, e.label AS description,
'allergy' AS type,
    e.category, CASE WHEN percent('reacts', hash(p, j), 60) THEN '271807003' END AS reaction1,
    CASE WHEN percent('reacts', hash(p, j), 60) THEN 'Eruption of skin (disorder)' END AS description1,
    CASE WHEN percent('reacts', hash(p, j), 60)
        THEN ['MILD', 'MODERATE'][1 + pick('severity', hash(p, j), 2)] END AS severity1
FROM asked JOIN ehr_slot s ON s.kind = 'allergy' AND s.band = asked.band
    AND s.slot = pick('code', hash(p, 'allergy', j), 1000)
    JOIN code_ehr e ON e.position = s.position
QUALIFY row_number() OVER (PARTITION BY i, e.code ORDER BY j) = 1
ORDER BY i, j
