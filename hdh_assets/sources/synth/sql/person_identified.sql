CREATE TABLE person AS
WITH related AS (
    SELECT *, CASE WHEN is_child THEN family * 5 END AS parent_a,
    CASE WHEN is_child THEN family * 5 + 1 END AS parent_b,
        CASE WHEN is_twin THEN i - 1 END AS sibling, is_child AND birth_year >= 1988 AS has_parents
    FROM lived
),
traced AS (
    SELECT related.*, a.nir AS nir_a, b.nir AS nir_b, sibling.sex AS twin_sex,
        strftime(related.birth_date, '%Y%m%d') || related.sex AS trait,
        pick('fictitious', related.p, 1000) AS draw
    FROM related
    LEFT JOIN lived a ON a.i = related.parent_a
    LEFT JOIN lived b ON b.i = related.parent_b
    LEFT JOIN lived sibling ON sibling.i = related.sibling
)
SELECT i, family, place, p, birth_date, birth_year, sex, death_date, nir, scheme, birth_insee, home_insee,
    moved_insee, move_date,
    -- 03 and 04 are provisional numbers; the fictitious ones make no person.
    CASE WHEN draw < {fictitious} THEN ['01', '05', '08', '09'][1 + pick('kind', p, 4)]
         WHEN draw < {fictitious} + 6 THEN '03' WHEN draw < {fictitious} + 12 THEN '04' ELSE '00' END AS nir_kind,
    CASE WHEN draw >= {fictitious} AND pick('unsent', p, 1000) >= {unsent}
        THEN pseudonym('nir' || nir) END AS nir_ano,
    has_parents, has_parents AND percent('both', p, 60) AS has_both,
    CASE WHEN has_parents THEN birth_date + INTERVAL 18 YEAR ELSE birth_date END::DATE AS own_from,
    pseudonym('psa' || nir_a || trait) AS psa_a, pseudonym('psa' || nir_b || trait) AS psa_b,
    pseudonym('psa' || nir || trait) AS psa_own,
    CASE WHEN scheme NOT LIKE '01%' THEN (1 + place)::VARCHAR WHEN sex = twin_sex THEN '2' ELSE '1' END AS child_rank,
    '1' AS own_rank,
    pseudonym('nir' || nir_a) AS opener_a, pseudonym('nir' || nir_b) AS opener_b,
    pseudonym('nir' || nir) AS opener_own,
    CASE WHEN birth_year <= 2004 AND percent('ill', p, least(70, greatest(2, (2004 - birth_year) * 0.9)))
         THEN 1 + pick('illnesses', p, 3) ELSE 0 END::INTEGER AS illnesses
FROM traced ORDER BY i
