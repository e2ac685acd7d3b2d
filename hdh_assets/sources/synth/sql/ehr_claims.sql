SELECT claim AS id, bill.id AS patientid, provider_id(organization, practitioner) AS providerid,
    CASE WHEN payer_draw > 96 THEN '0' ELSE payer_id(payer_of(payer_draw)) END AS primarypatientinsuranceid,
    '0' AS secondarypatientinsuranceid, (1 + practitioner)::VARCHAR AS departmentid,
    (1 + practitioner)::VARCHAR AS patientdepartmentid,
    coalesce(reason.code, bill.code) AS diagnosis1, encounter AS appointmentid, starts AS currentillnessdate,
    starts AS servicedate,
    provider_id(organization, practitioner) AS supervisingproviderid, 'CLOSED' AS status1, 'CLOSED' AS statusp,
    0::DECIMAL(18, 2) AS outstanding1, 0::DECIMAL(18, 2) AS outstandingp, ends AS lastbilleddate1,
    ends AS lastbilleddatep,
    claim_type AS healthcareclaimtypeid1, '0' AS healthcareclaimtypeid2
FROM bill LEFT JOIN (SELECT encounter, code FROM finding WHERE kind = 'condition') reason USING (encounter)
ORDER BY b
