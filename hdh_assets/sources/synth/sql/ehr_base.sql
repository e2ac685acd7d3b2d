CREATE OR REPLACE TEMP TABLE patient AS
SELECT *, uuid_of('ehr_patient' || nir) AS id,
    CASE WHEN move_date < {as_of} THEN moved_insee ELSE home_insee END AS insee,
    1 + pick('payer', p, 100) AS payer_draw
FROM person WHERE percent('hospital', p, 60) AND birth_date < {as_of};

CREATE OR REPLACE TEMP TABLE visit AS
WITH months AS (
    SELECT patient.*, month::DATE AS month, hash(p, 'ehr', date_diff('month', DATE '2000-01-01', month::DATE)) AS m,
        band_of(year(month) - birth_year) AS band
    FROM patient, range(DATE '2018-01-01', {as_of}, INTERVAL 1 MONTH) AS months(month)
    WHERE month + INTERVAL 1 MONTH > birth_date AND (death_date IS NULL OR month <= death_date)
),
counted AS (
    SELECT *, floor([0.35, 0.18, 0.2, 0.28, 0.45][1 + band] + unit('visits', m))::INTEGER AS n FROM months
),
begun AS (
    SELECT * EXCLUDE (n, m), hash(m, unnest(range(n))) AS v FROM counted WHERE n > 0
),
dated AS (
    SELECT *, month::TIMESTAMP + to_seconds(pick('day', v, day(last_day(month))) * 86400 + 25200 + pick('second',
    v, 43200))
        AS starts FROM begun
)
SELECT dated.* EXCLUDE (band), dated.band, e.code, e.label, e.category AS class, e.unit::DECIMAL(18, 2) AS base_cost,
    CASE WHEN e.category = 'inpatient' THEN least(starts + to_days((1 + pick('nights', v, 8))::INTEGER),
             coalesce((death_date + 1)::TIMESTAMP - INTERVAL 1 MINUTE, starts + INTERVAL 9 DAY))
         ELSE starts + to_minutes(15 + 15 * pick('minutes', v, 4)) END AS ends,
    uuid_of('visit' || v) AS encounter, pick('organization', hash(v, dated.insee), 12) AS organization,
    pick('practitioner', v, 5) AS practitioner, hash(v, 'condition') AS d,
    percent('diagnosed', v, 45) AS has_condition, percent('treated', v, 40) AS has_medication,
    percent('operated', v, 50) AS has_procedure
FROM dated JOIN ehr_slot s ON s.kind = 'visit' AND s.band = dated.band AND s.slot = pick('visit', v, 1000)
    JOIN code_ehr e ON e.position = s.position
WHERE starts::DATE >= birth_date AND (death_date IS NULL OR starts::DATE <= death_date);

-- What was found, given or done in a visit: at most one of each kind.
CREATE OR REPLACE TEMP TABLE finding AS
WITH kinds AS (
    SELECT *, unnest(['condition', 'medication', 'procedure', 'immunization']) AS kind FROM visit
),
chosen AS (
    SELECT *, hash(v, kind) AS f FROM kinds
    WHERE (kind = 'condition' AND has_condition) OR (kind = 'medication' AND has_medication)
       OR (kind = 'procedure' AND has_procedure) OR (kind = 'immunization' AND percent('vaccinated', v, 10))
)
SELECT chosen.* EXCLUDE (code, label, class, base_cost), chosen.class, e.code, e.label, e.category, e.unit
FROM chosen JOIN ehr_slot s ON s.kind = chosen.kind AND s.band = chosen.band
        AND s.slot = pick('code', CASE
            WHEN chosen.kind = 'medication' AND percent('habit', f, 50) THEN p ELSE f END, 1000)
    JOIN code_ehr e ON e.position = s.position;

CREATE OR REPLACE TEMP TABLE bill AS
SELECT v AS b, uuid_of('bill' || v) AS claim, id, birth_date, encounter, organization, practitioner, payer_draw,
starts, ends, code, label, base_cost AS amount,
    CASE WHEN class = 'inpatient' THEN '2' ELSE '1' END AS claim_type, 0 AS rank
FROM visit
UNION ALL
SELECT f, uuid_of('bill' || f), id, birth_date, encounter, organization, practitioner, payer_draw, starts, ends,
code, label, unit::DECIMAL(18, 2), '1', 1
FROM finding WHERE kind = 'medication';
