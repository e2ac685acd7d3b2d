WITH steps AS (
    SELECT *, unnest(CASE
        WHEN payer_draw > 96 THEN ['CHARGE', 'PAYMENT']
        ELSE ['CHARGE', 'PAYMENT', 'TRANSFEROUT', 'TRANSFERIN'] END) AS type
    FROM bill
),
ranked AS (
    SELECT *, CASE type WHEN 'CHARGE' THEN 0 WHEN 'PAYMENT' THEN 1 WHEN 'TRANSFEROUT' THEN 2 ELSE 3 END AS step,
        covered(payer_draw, amount) AS paid
    FROM steps
)
SELECT uuid_of('transaction' || b || '-' || step) AS id, claim AS claimid, step AS chargeid, ranked.id AS patientid,
type,
    CASE type WHEN 'CHARGE' THEN amount WHEN 'TRANSFERIN' THEN amount - paid END::DECIMAL(18, 2) AS amount,
    CASE WHEN type = 'PAYMENT' THEN ['CASH', 'CC', 'CHECK', 'ECHECK'][1 + pick('method', b, 4)] END AS method,
    starts AS fromdate, ends AS todate, organization_id(organization) AS placeofservice, code AS procedurecode,
    1 AS diagnosisref1,
    1 AS units, (1 + practitioner)::VARCHAR AS departmentid, label AS notes,
    CASE WHEN type IN ('CHARGE', 'TRANSFERIN') THEN CASE type
        WHEN 'CHARGE' THEN amount ELSE amount - paid END END::DECIMAL(18, 2) AS unitamount,
    CASE WHEN type = 'TRANSFERIN' THEN 2 END AS transferoutid,
    CASE type WHEN 'CHARGE' THEN '1' WHEN 'TRANSFERIN' THEN 'p' END AS transfertype,
    CASE WHEN type = 'PAYMENT' THEN CASE
        WHEN payer_draw > 96 THEN amount ELSE paid END END::DECIMAL(18, 2) AS payments,
    CASE WHEN type = 'TRANSFEROUT' THEN amount - paid END::DECIMAL(18, 2) AS transfers,
    CASE WHEN type <> 'PAYMENT' THEN 0 END::DECIMAL(18, 2) AS outstanding, encounter AS appointmentid,
    ranked.id AS patientinsuranceid,
    '1' AS feescheduleid, provider_id(organization, practitioner) AS providerid,
    provider_id(organization, practitioner) AS supervisingproviderid
FROM ranked ORDER BY b, step
