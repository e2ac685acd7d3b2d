SELECT organization_id(n) AS id,
['Hôpital Saint-Louis', 'Hôpital Pasteur', 'Hôpital Nord', 'Hôpital Sud', 'Clinique des Lilas', 'Hôpital Laennec']
        [1 + n % 6] || ' ' || (1 + n // 6) AS name,
    (1 + n * 7) || ' avenue des Hôpitaux' AS address, c.name AS city, 'France' AS state,
    substr(insee, 1, 2) || '000' AS zip,
    43.5 + n * 0.5 AS lat, 0.5 + n * 0.4 AS lon, '01' || digits(40000000 + n * 1111, 8) AS phone,
    0::DOUBLE AS revenue,
    (SELECT count(*) FROM visit WHERE organization = n) AS utilization
FROM (SELECT range::BIGINT AS n FROM range(12)) JOIN code_communes c ON c.position = n + 1 ORDER BY n
