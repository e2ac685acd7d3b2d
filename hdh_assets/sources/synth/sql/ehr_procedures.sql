SELECT starts AS start, starts + to_minutes(category::BIGINT) AS stop, id AS patient, encounter, code,
label AS description,
    unit::DECIMAL(18, 2) AS base_cost
FROM finding WHERE kind = 'procedure' ORDER BY i, v
