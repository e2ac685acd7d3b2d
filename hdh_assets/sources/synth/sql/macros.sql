-- Randomness: a second hash over the first, so that the bits of one tag say nothing of those of another.
CREATE MACRO rnd(tag, key) AS hash(hash(key, tag));
CREATE MACRO pick(tag, key, n) AS (rnd(tag, key) % n)::BIGINT;
CREATE MACRO unit(tag, key) AS (rnd(tag, key) >> 11)::DOUBLE / 9007199254740992.0;
CREATE MACRO percent(tag, key, p) AS (rnd(tag, key) % 1000) < p * 10;

-- Age band, as in `engine.BANDS`.
CREATE MACRO band_of(age) AS
    (age >= 2)::INTEGER + (age >= 16)::INTEGER + (age >= 40)::INTEGER + (age >= 65)::INTEGER;

CREATE MACRO pseudonym(text) AS upper(substr(md5(text), 1, 17));
CREATE MACRO uuid_of(text) AS CAST(CAST(md5(text) AS UUID) AS VARCHAR);

-- What the national files write for a date that there is not.
CREATE MACRO never() AS DATE '1600-01-01';

CREATE MACRO digits(number, size) AS lpad(number::VARCHAR, size, '0');
CREATE MACRO own_doctor(p) AS digits(10000000 + rnd('own_doctor', p) % 60000, 8) || '1';
CREATE MACRO provider(p, c, service, taa, activity, specialty) AS
    CASE WHEN taa = '1' THEN '00000000'
         WHEN service LIKE 'gp%' AND percent('own', c, 80) THEN own_doctor(p)
         ELSE digits(
             20000000 + activity::BIGINT * 100000 + specialty::BIGINT * 1000
             + rnd('provider', hash(p, pick('which', c, 3))) % 900, 8) || '2' END;
CREATE MACRO establishment(zone, service) AS
    zone || '0' || digits(10000 + rnd('establishment', hash(zone, service)) % 40, 5);

-- French names; the lists are made in `engine.open_engine`.
CREATE MACRO first_name(p, sex) AS
    CASE WHEN sex = 1 THEN getvariable('first_1')[1 + pick('first', p, len(getvariable('first_1')))]
         ELSE getvariable('first_2')[1 + pick('first', p, len(getvariable('first_2')))] END;
CREATE MACRO last_name(p) AS getvariable('last')[1 + pick('last', p, len(getvariable('last')))];

-- The hospital group: its houses, people and payers by number.
CREATE MACRO organization_id(n) AS uuid_of('organization' || n);
CREATE MACRO provider_id(organization, n) AS uuid_of('provider' || organization || '-' || n);
CREATE MACRO payer_of(draw) AS CASE WHEN draw <= 80 THEN 0 WHEN draw <= 86 THEN 1 WHEN draw <= 96 THEN 2 ELSE 3 END;
CREATE MACRO payer_id(n) AS uuid_of('payer' || n);
CREATE MACRO covered(draw, amount) AS
    CASE WHEN draw > 96 THEN 0 ELSE amount * 8 / 10 END::DECIMAL(18, 2);
