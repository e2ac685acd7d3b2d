CREATE OR REPLACE TEMP TABLE pseudonym AS
WITH listed AS (
    SELECT person.*, psa_a AS psa, child_rank AS rank, opener_a AS opener, birth_date AS used_from,
    own_from AS used_to, own_from > {as_of} AS is_last, 0 AS n
    FROM person WHERE has_parents
    UNION ALL
    SELECT person.*, psa_b, child_rank, opener_b, birth_date + 30, own_from, false, 1 FROM person WHERE has_both
    UNION ALL
    SELECT person.*, psa_own, own_rank, opener_own, own_from, DATE '2999-12-31', true, 2 FROM person
),
lived AS (
    SELECT *, death_date < {as_of} - 20 AS is_dead,
    least(used_to, coalesce(death_date, used_to), {as_of} - 1) AS last_care
    FROM listed WHERE greatest(used_from, DATE '2006-01-01') < {as_of}
        AND (death_date IS NULL OR used_from < death_date)
)
SELECT *, (least(last_care + pick('last_treated', hash(p, n), 60)::INTEGER, {as_of} - 1)) AS last_treated,
    CASE WHEN move_date <= last_care THEN moved_insee ELSE home_insee END AS insee
FROM lived
