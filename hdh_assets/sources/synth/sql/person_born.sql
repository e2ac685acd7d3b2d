CREATE TABLE born AS
WITH numbered AS (
    SELECT i, i // 5 AS family, i % 5 AS place, hash({seed}::BIGINT, i) AS p, hash({seed}::BIGINT, -1 - i // 5) AS f
    FROM (SELECT range::BIGINT AS i FROM range({persons}))
),
homes AS (SELECT count(*) AS n FROM commune_slot),
elders AS (
    SELECT *, 1932 + pick('elder', f, 66)::INTEGER AS elder_year FROM numbered
),
years AS (
    SELECT *,
        -- A twin is born with the child before.
        place = 3 AND pick('twins', f, 1000) < {twins} AS is_twin, CASE WHEN is_twin THEN 2 ELSE place END AS child,
        CASE place WHEN 0 THEN elder_year WHEN 1 THEN elder_year - 4 + pick('spouse', f, 9)::INTEGER
                   ELSE elder_year + 21 + pick('child', hash(f, child), 18)::INTEGER END AS drawn
    FROM elders
),
settled AS (
    SELECT *, place >= 2 AND drawn <= 2019 AS is_child,
        CASE WHEN place >= 2 AND drawn > 2019 THEN 1935 + pick('alone', hash(f, child), 66)::INTEGER
             ELSE drawn END AS birth_year
    FROM years
)
SELECT i, family, place, p, f, is_twin AND is_child AS is_twin, is_child, birth_year,
    make_date(birth_year, 1, 1)
        + pick('birthday', CASE WHEN place >= 2 THEN hash(f, child) ELSE p END, 365)::INTEGER AS birth_date,
    CASE WHEN place = 0 THEN 1 + pick('sex', f, 2) WHEN place = 1 THEN 2 - pick('sex', f, 2)
         WHEN is_twin AND pick('same_sex', f, 2) = 0 THEN 1 + pick('sex', hash(f, child), 2)
         ELSE 1 + pick('sex', hash(f, place), 2) END::INTEGER AS sex,
    pick('home', f, (SELECT n FROM homes)) AS home_slot, pick('birthplace', p, (SELECT n FROM homes)) AS birth_slot,
    pick('moved', f, (SELECT n FROM homes)) AS moved_slot,
    CASE WHEN percent('moves', f, 20) THEN DATE '2016-01-01' + pick('move_date', f, 4000)::INTEGER END AS move_date,
    CASE WHEN pick('scheme', f, 100) < 86 THEN '01C' WHEN pick('scheme', f, 100) < 90 THEN '01M'
         WHEN pick('scheme', f, 100) < 95 THEN '02A' ELSE '03A' END AS scheme
FROM settled
