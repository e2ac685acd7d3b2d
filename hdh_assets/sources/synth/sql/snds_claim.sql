CREATE OR REPLACE TEMP TABLE claim AS
WITH asked AS (
    SELECT person.*, late, share, back.range::INTEGER AS back,
        (date_trunc('month', {flux}) - to_months(CAST(1 + back.range + late AS INTEGER)))::DATE AS care_month
    FROM person JOIN delay ON true JOIN range(4) back ON back.range = 0 OR late <= 2
    WHERE i >= {first} AND i < {last}
),
counted AS (
    SELECT *, (year(care_month) - birth_year) AS age,
        hash(hash(p, date_diff('month', DATE '2000-01-01', care_month)), late) AS m
    FROM asked WHERE care_month + INTERVAL 1 MONTH > birth_date AND (death_date IS NULL OR care_month <= death_date)
),
rated AS (
    SELECT *, band_of(age) AS band,
        -- How much a person needs and how the month goes; the draw rounds so that the mean is right.
        ({rates})[1 + band_of(age)] * (0.4 + 1.2 * unit('need', p)) * (0.7 + 0.6 * unit('season', m)) AS rate,
        floor(least(36, rate) * share + unit('count', m))::INTEGER AS n
    FROM counted
),
told AS (
    SELECT * EXCLUDE (n, share, rate), hash(m, unnest(range(n))) AS c FROM rated WHERE n > 0
),
dated AS (
    SELECT *, CASE WHEN late = 0 THEN 27 ELSE day(last_day(care_month)) END AS days_open,
        care_month + pick('day', c, days_open)::INTEGER AS care_date,
        ({flux} - INTERVAL 1 MONTH)::DATE AS treat_month
    FROM told
    WHERE back = 0 OR (percent('cancel', c, {cancelled}) AND 1 + pick('cancelled_after', c, 3) = back)
),
versions AS (
    SELECT *, unnest(CASE WHEN back = 0 THEN [CASE WHEN rnd('orphan', c) % 10000 < {orphans} THEN -1 ELSE 1 END]
                          WHEN percent('rebill', c, {rebilled}) THEN [-1, 1] ELSE [-1] END) AS sign
    FROM dated WHERE care_date >= birth_date AND (death_date IS NULL OR care_date <= death_date)
),
served AS (
    SELECT versions.*, service.* FROM versions
    JOIN service_slot ON service_slot.band = versions.band AND service_slot.slot = pick('service', c, 1000)
    JOIN service USING (service)
)
SELECT served.* EXCLUDE (home_insee, moved_insee, move_date, treat_month, days_open),
    snds_department AS dpt, snds_commune AS com,
    CASE WHEN snds_department LIKE '97%' THEN '97' ELSE substr(snds_department, 2) END AS zone,
    CASE WHEN late = 0 AND back = 0
        THEN care_date + pick('treated', c, day(last_day(care_month)) - day(care_date) + 1)::INTEGER
         ELSE treat_month + pick('treated', c, day(last_day(treat_month)))::INTEGER END AS treat_date,
    CASE WHEN care_date >= own_from THEN psa_own
        WHEN has_both AND percent('other', c, 30) THEN psa_b ELSE psa_a END AS psa,
    CASE WHEN care_date >= own_from THEN own_rank ELSE child_rank END AS psa_rank,
    i * 128 + row_number() OVER (PARTITION BY i ORDER BY care_month, late, back, c, sign) AS claim_number,
    (1 + pick('lines', c, lines))::INTEGER AS line_count, illnesses > 0 AND percent('exempt', c, 55) AS is_exempt,
    CASE WHEN specialty <> '*' THEN specialty
         ELSE ['3', '5', '7', '8', '11', '13', '14', '15', '32', '35', '41', '42', '70', '73']
             [1 + pick('specialty', c, 14)] END AS spe
FROM served JOIN code_communes ON insee = CASE WHEN move_date <= care_date THEN moved_insee ELSE home_insee END
