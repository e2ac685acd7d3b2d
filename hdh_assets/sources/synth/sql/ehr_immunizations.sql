SELECT starts AS date, id AS patient, encounter, code, label AS description, unit::DECIMAL(18, 2) AS base_cost
FROM finding WHERE kind = 'immunization' ORDER BY i, v
