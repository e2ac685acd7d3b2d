SELECT starts::DATE AS date, id AS patient, encounter, e.code, e.label AS description,
1 + pick('quantity', v, 12) AS quantity
FROM visit JOIN ehr_slot s ON s.kind = 'supply' AND s.band = visit.band AND s.slot = pick('supply', v, 1000)
    JOIN code_ehr e ON e.position = s.position
WHERE class = 'inpatient' ORDER BY i, v
