SELECT starts AS start, id AS patient, encounter, e.code, e.label AS description,
    '(01)' || digits(rnd('device', v) % 100000000000000, 14) || '(21)' || digits(rnd('serial', v) % 10000000000,
    10) AS udi
FROM visit JOIN ehr_slot s ON s.kind = 'device' AND s.band = visit.band AND s.slot = pick('device', v, 1000)
    JOIN code_ehr e ON e.position = s.position
WHERE year(starts) - birth_year >= 50 AND percent('implanted', v, 1) ORDER BY i, v
