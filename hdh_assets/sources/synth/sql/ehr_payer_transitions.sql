WITH years AS (
    SELECT *, unnest(range(greatest(2018, birth_year), year({as_of}) + 1))::INTEGER AS year FROM patient
)
SELECT id AS patient, CASE WHEN payer_draw <= 96 THEN uuid_of('member' || p) END AS memberid,
    greatest(make_date(year, 1, 1), birth_date)::TIMESTAMP AS start_year,
    least(make_date(year + 1, 1, 1), coalesce(death_date, DATE '2999-12-31'))::TIMESTAMP AS end_year,
    payer_id(payer_of(payer_draw)) AS payer,
    CASE WHEN payer_draw > 96 THEN NULL WHEN year - birth_year < 18 THEN 'Guardian' ELSE 'Self' END AS ownership,
    CASE WHEN payer_draw > 96 THEN NULL
        WHEN year - birth_year < 18
        THEN first_name(hash(family, 'parent'), 2) || ' ' || last_name(hash(family, 'name'))
         ELSE first_name(p, sex) || ' ' || last_name(hash(family, 'name')) END AS ownername
FROM years WHERE death_date IS NULL OR death_date > make_date(year, 1, 1) ORDER BY i, year
