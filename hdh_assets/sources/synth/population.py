"""The persons every generator draws from, so that the same people appear in every dataset.

One row per person in `person`: families of five (two adults, then children of theirs, or adults alone), a French
social security number, birth, sex, death, two successive homes, a scheme, and the pseudonyms the health insurance gave
them. A person born since 1988 first had the pseudonyms of one or two parents, then an own one at eighteen; twins of
the same sex share theirs. What care they get belongs to the generators.
"""

from __future__ import annotations

import duckdb

FICTITIOUS_PER_THOUSAND = 6
UNSENT_PER_THOUSAND = 30
TWINS_PER_THOUSAND = 30
HISTORY_STARTS = "DATE '2010-01-01'"
"""Nobody of the population died before."""


def make_population(con: duckdb.DuckDBPyConnection, persons: int, seed: int) -> None:
    """Create table `person`, one row per person, in order of `i` from 0."""
    _commune_slots(con)
    con.execute(_BORN.format(persons=persons, seed=seed, twins=TWINS_PER_THOUSAND))
    con.execute(_NUMBERED)
    con.execute(_LIVED.format(start=HISTORY_STARTS))
    con.execute(_IDENTIFIED.format(fictitious=FICTITIOUS_PER_THOUSAND, unsent=UNSENT_PER_THOUSAND))
    con.execute("DROP TABLE born; DROP TABLE numbered; DROP TABLE lived")


def _commune_slots(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE TABLE commune_slot AS
        WITH weighted AS (
            SELECT insee, weight::INTEGER AS weight, sum(weight::INTEGER) OVER (ORDER BY position) AS upper_bound
            FROM code_communes
        )
        SELECT s.range::BIGINT AS slot, insee FROM weighted JOIN range(20000) s
          ON s.range >= upper_bound - weight AND s.range < upper_bound
    """)


_BORN = """
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
        place = 3 AND pick('twins', f, 1000) < {twins} AS is_twin,
        CASE place WHEN 0 THEN elder_year WHEN 1 THEN elder_year - 4 + pick('spouse', f, 9)::INTEGER
                   ELSE elder_year + 21 + pick('child', CASE WHEN place = 3 AND pick('twins', f, 1000) < {twins}
                                                             THEN hash(f, 2) ELSE hash(f, place) END, 18)::INTEGER END AS drawn
    FROM elders
),
settled AS (
    SELECT *, place >= 2 AND drawn <= 2019 AS is_child,
        CASE WHEN place >= 2 AND drawn > 2019 THEN 1935 + pick('alone', hash(f, CASE WHEN is_twin THEN 2 ELSE place END), 66)::INTEGER
             ELSE drawn END AS birth_year
    FROM years
)
SELECT i, family, place, p, f, is_twin AND is_child AS is_twin, is_child, birth_year,
    make_date(birth_year, 1, 1) + pick('birthday', CASE WHEN is_twin THEN hash(f, 2) WHEN place >= 2 THEN hash(f, place) ELSE p END, 365)::INTEGER
        AS birth_date,
    CASE WHEN place = 0 THEN 1 + pick('sex', f, 2) WHEN place = 1 THEN 2 - pick('sex', f, 2)
         WHEN is_twin AND pick('same_sex', f, 2) = 0 THEN 1 + pick('sex', hash(f, 2), 2)
         WHEN place >= 2 THEN 1 + pick('sex', hash(f, place), 2) END::INTEGER AS sex,
    pick('home', f, (SELECT n FROM homes)) AS home_slot, pick('birthplace', p, (SELECT n FROM homes)) AS birth_slot,
    pick('moved', f, (SELECT n FROM homes)) AS moved_slot,
    CASE WHEN percent('moves', f, 20) THEN DATE '2016-01-01' + pick('move_date', f, 4000)::INTEGER END AS move_date,
    CASE WHEN pick('scheme', f, 100) < 86 THEN '01C' WHEN pick('scheme', f, 100) < 90 THEN '01M'
         WHEN pick('scheme', f, 100) < 95 THEN '02A' ELSE '03A' END AS scheme
FROM settled
"""

_NUMBERED = """
CREATE TABLE numbered AS
WITH placed AS (
    SELECT born.*, birth.insee AS birth_insee, home.insee AS home_insee, moved.insee AS moved_insee
    FROM born JOIN commune_slot home ON home.slot = home_slot JOIN commune_slot birth ON birth.slot = birth_slot
         JOIN commune_slot moved ON moved.slot = moved_slot
),
ordered AS (
    SELECT *, sex::VARCHAR || strftime(birth_date, '%y%m') || birth_insee
        || lpad((1 + (row_number() OVER (PARTITION BY sex, strftime(birth_date, '%y%m'), birth_insee ORDER BY i) - 1) % 999)::VARCHAR, 3, '0')
        AS nir13
    FROM placed
)
SELECT *, nir13 || lpad((97 - replace(replace(nir13, '2A', '19'), '2B', '18')::BIGINT % 97)::VARCHAR, 2, '0') AS nir FROM ordered
"""

# Ages at death follow Gompertz's law, given that the person lived when the history starts.
_LIVED = """
CREATE TABLE lived AS
WITH drawn AS (
    SELECT *, greatest(0, date_diff('day', birth_date, {start})) / 365.25 AS age_then, 1 - unit('death', p) AS survival FROM numbered
),
died AS (
    SELECT *, ln(exp(0.097 * age_then) - ln(survival) * 0.097 / 0.00002) / 0.097 AS age_at_death FROM drawn
)
SELECT * EXCLUDE (age_then, survival, age_at_death),
    CASE WHEN age_at_death < 118 THEN birth_date + round(age_at_death * 365.25)::INTEGER END AS death_date
FROM died
"""

_IDENTIFIED = """
CREATE TABLE person AS
WITH parents AS (
    SELECT child.*, mother.nir AS nir_a, father.nir AS nir_b,
        bool_or(child.is_twin) OVER (PARTITION BY child.family) AS family_has_twins,
        max(child.sex) FILTER (child.place = 2) OVER (PARTITION BY child.family) AS elder_twin_sex
    FROM lived child
    LEFT JOIN lived mother ON child.is_child AND mother.i = child.family * 5
    LEFT JOIN lived father ON child.is_child AND father.i = child.family * 5 + 1
),
ranked AS (
    SELECT *,
        CASE WHEN scheme LIKE '01%' THEN CASE WHEN is_twin AND sex = elder_twin_sex THEN '2' ELSE '1' END
             ELSE (1 + place)::VARCHAR END AS child_rank,
        CASE WHEN scheme LIKE '01%' THEN '1' ELSE '1' END AS own_rank,
        strftime(birth_date, '%Y%m%d') || sex AS trait,
        CASE WHEN pick('fictitious', p, 1000) < {fictitious} THEN ['01', '05', '08', '09'][1 + pick('kind', p, 4)]
             WHEN pick('fictitious', p, 1000) < {fictitious} + 6 THEN '03'
             WHEN pick('fictitious', p, 1000) < {fictitious} + 12 THEN '04' ELSE '00' END AS nir_kind
    FROM parents
)
SELECT i, family, place, p, birth_date, birth_year, sex, death_date, nir, scheme, nir_kind,
    home_insee, moved_insee, move_date,
    is_child AND birth_year >= 1988 AS has_parents,
    is_child AND birth_year >= 1988 AND nir_b IS NOT NULL AND percent('both', p, 60) AS has_both,
    CASE WHEN is_child AND birth_year >= 1988 THEN birth_date + INTERVAL 18 YEAR ELSE birth_date END::DATE AS own_from,
    pseudonym('psa' || nir_a || trait) AS psa_a, pseudonym('psa' || nir_b || trait) AS psa_b,
    pseudonym('psa' || nir || trait) AS psa_own, child_rank, own_rank,
    CASE WHEN nir_kind IN ('00', '03', '04') AND pick('unsent', p, 1000) >= {unsent} THEN pseudonym('nir' || nir) END AS nir_ano,
    pseudonym('nir' || coalesce(nir_a, nir)) AS opener_a, pseudonym('nir' || coalesce(nir_b, nir)) AS opener_b,
    pseudonym('nir' || nir) AS opener_own,
    CASE WHEN birth_year <= 2004 AND percent('ill', p, least(70, greatest(2, (2024 - birth_year - 20) * 0.9))) THEN 1 + pick('illnesses', p, 3)
         ELSE 0 END::INTEGER AS illnesses
FROM ranked ORDER BY i
"""
