SELECT id, birth_date AS birthdate, CASE WHEN death_date < {as_of} THEN death_date END AS deathdate, nir AS ssn,
    CASE WHEN year({as_of}) - birth_year >= 18 THEN digits(rnd('licence', p) % 1000000000000, 12) END AS drivers,
    CASE WHEN percent('passport', p, 40)
        THEN digits(10 + rnd('passport', p) % 90, 2) || 'AF' || digits(rnd('number', p) % 100000, 5)
        END AS passport,
    CASE WHEN year({as_of}) - birth_year >= 18 THEN CASE sex WHEN 1 THEN 'M.' ELSE 'Mme' END END AS prefix,
    first_name(p, sex) AS first, last_name(hash(family, 'name')) AS last,
    CASE WHEN sex = 2 AND place = 1 THEN last_name(p) END AS maiden,
    CASE WHEN place < 2 THEN 'M' WHEN year({as_of}) - birth_year >= 18 THEN 'S' END AS marital,
    CASE sex WHEN 1 THEN 'M' ELSE 'F' END AS gender,
    birth.name || '  France' AS birthplace,
    (1 + pick('street', family, 180)) || ' rue ' || ['Victor Hugo', 'de la République', 'Jean Jaurès', 'Pasteur',
    'des Écoles', 'du Moulin']
        [1 + pick('street_name', family, 6)] AS address,
    home.name AS city, 'France' AS state, substr(insee, 1, CASE WHEN insee LIKE '97%' THEN 3 ELSE 2 END) AS county,
    substr(insee, 1, 2) || '000' AS zip, 43 + unit('north', family) * 7 AS lat, -1 + unit('east', family) * 7 AS lon,
    (1000 + pick('expenses', p, 90000))::DOUBLE AS healthcare_expenses,
    (800 + pick('coverage', p, 70000))::DOUBLE AS healthcare_coverage
FROM patient JOIN code_communes home USING (insee) JOIN code_communes birth ON birth.insee = birth_insee ORDER BY i
