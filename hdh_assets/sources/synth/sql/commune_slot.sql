CREATE TABLE commune_slot AS
WITH weighted AS (
    SELECT insee, weight::INTEGER AS weight, sum(weight::INTEGER) OVER (ORDER BY position) AS upper_bound
    FROM code_communes
)
SELECT s.range::BIGINT AS slot, insee FROM weighted
JOIN range(20000) s ON s.range >= upper_bound - weight AND s.range < upper_bound
