SELECT uuid_of('careplan' || v) AS id, starts::DATE AS start, visit.id AS patient, encounter, e.code,
e.label AS description
FROM visit JOIN ehr_slot s ON s.kind = 'careplan' AND s.band = visit.band AND s.slot = pick('careplan', v, 1000)
    JOIN code_ehr e ON e.position = s.position
WHERE percent('planned', v, 4) ORDER BY i, v
