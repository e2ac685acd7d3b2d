CREATE OR REPLACE TEMP TABLE exemption AS
WITH ill AS (
    SELECT *, unnest(range(illnesses))::INTEGER AS k FROM person WHERE illnesses > 0
),
begun AS (
    SELECT ill.*, icd10, ald, hash(p, k) AS e,
        (greatest(birth_date + min_age::INTEGER * 365, DATE '2008-01-01') + pick('ill_since', hash(p, k),
        5400)::INTEGER)::DATE AS since
    FROM ill JOIN illness_slot ON illness_slot.slot = pick('illness', hash(p, k), 1000)
        AND illness_slot.band = band_of(2024 - birth_year)
         JOIN code_illnesses USING (icd10)
),
renewed AS (
    SELECT *, unnest(range(4))::INTEGER AS renewal FROM begun WHERE death_date IS NULL OR since < death_date
)
SELECT *, (since + renewal * 1826)::DATE AS starts,
    CASE WHEN pick('open', e, 100) < 4 THEN never() WHEN pick('open', e, 100) < 8 THEN DATE '2099-12-31'
         ELSE (since + renewal * 1826 + 1825)::DATE END AS ends,
    CASE WHEN pick('reason', e, 100) < 84 THEN '41' WHEN pick('reason', e, 100) < 90 THEN '43'
        WHEN pick('reason', e, 100) < 94 THEN '45'
         WHEN pick('reason', e, 100) < 97 THEN '12' ELSE '13' END AS reason
FROM renewed
WHERE since + renewal * 1826 + 20 < {as_of} AND (death_date IS NULL OR since + renewal * 1826 < death_date)
    AND (renewal = 0 OR pick('open', e, 100) >= 8)
