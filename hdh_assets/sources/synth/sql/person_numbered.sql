CREATE TABLE numbered AS
WITH placed AS (
    SELECT born.*, birth.insee AS birth_insee, home.insee AS home_insee, moved.insee AS moved_insee
    FROM born JOIN commune_slot home ON home.slot = home_slot JOIN commune_slot birth ON birth.slot = birth_slot
         JOIN commune_slot moved ON moved.slot = moved_slot
),
ordered AS (
    SELECT *, sex::VARCHAR || strftime(birth_date, '%y%m') || birth_insee
        || lpad((1 + (row_number() OVER (PARTITION BY sex, strftime(birth_date, '%y%m'),
        birth_insee ORDER BY i) - 1) % 999)::VARCHAR, 3, '0')
        AS nir13
    FROM placed
)
SELECT *, nir13 || lpad((97 - replace(replace(nir13, '2A', '19'), '2B', '18')::BIGINT % 97)::VARCHAR, 2,
'0') AS nir FROM ordered
