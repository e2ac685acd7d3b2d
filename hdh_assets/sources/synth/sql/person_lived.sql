CREATE TABLE lived AS
WITH drawn AS (
    SELECT *, greatest(0, date_diff('day', birth_date, {start})) / 365.25 AS age_then,
    1 - unit('death', p) AS survival FROM numbered
),
died AS (
    SELECT *, ln(exp(0.097 * age_then) - ln(survival) * 0.097 / 0.00002) / 0.097 AS age_at_death FROM drawn
)
SELECT * EXCLUDE (age_then, survival, age_at_death),
    CASE WHEN age_at_death < 118 THEN birth_date + round(age_at_death * 365.25)::INTEGER END AS death_date
FROM died
