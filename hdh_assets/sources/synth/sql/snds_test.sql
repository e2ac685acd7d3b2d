CREATE OR REPLACE TEMP TABLE test AS
WITH asked AS (
    SELECT claim_number, c, sex, band, sign, unnest(range(2 + pick('tests', c, 6))) AS j FROM claim WHERE pool = 'lab'
)
SELECT claim_number, sign, j::INTEGER AS j, c, CASE WHEN j = 0 THEN '9005' ELSE code END AS code,
CASE WHEN j = 0 THEN 16 ELSE price::INTEGER END AS coefficient
FROM asked JOIN item_slot ON pool = 'lab' AND item_slot.band = asked.band AND item_slot.sex = asked.sex
    AND slot = pick('test', hash(c, j), 1000)
JOIN item USING (item)
