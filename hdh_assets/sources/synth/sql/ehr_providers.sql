SELECT provider_id(n, k) AS id, organization_id(n) AS organization,
    first_name(hash(n, k), 1 + (n + k) % 2) || ' ' || last_name(hash(k, n)) AS name,
    CASE (n + k) % 2 WHEN 0 THEN 'M' ELSE 'F' END AS gender,
    ['GENERAL PRACTICE', 'EMERGENCY MEDICINE', 'INTERNAL MEDICINE', 'CARDIOLOGY', 'PEDIATRICS'][1 + k] AS speciality,
    (1 + n * 7) || ' avenue des Hôpitaux' AS address, c.name AS city, 'France' AS state,
    substr(insee, 1, 2) || '000' AS zip,
    43.5 + n * 0.5 AS lat, 0.5 + n * 0.4 AS lon,
    (SELECT count(*) FROM visit WHERE organization = n AND practitioner = k) AS utilization
FROM (SELECT range::BIGINT AS n FROM range(12)) JOIN (SELECT range::BIGINT AS k FROM range(5)) ON true
    JOIN code_communes c ON c.position = n + 1
ORDER BY n, k
