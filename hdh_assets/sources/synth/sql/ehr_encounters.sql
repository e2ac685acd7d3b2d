SELECT encounter AS id, starts AS start, ends AS stop, id AS patient, organization_id(organization) AS organization,
    provider_id(organization, practitioner) AS provider, payer_id(payer_of(payer_draw)) AS payer,
    class AS encounterclass, visit.code AS code,
    visit.label AS description, base_cost AS base_encounter_cost, base_cost AS total_claim_cost,
    covered(payer_draw, base_cost) AS payer_coverage, reason.code AS reasoncode, reason.label AS reasondescription
FROM visit LEFT JOIN (SELECT v, code, label FROM finding WHERE kind = 'condition'
    AND percent('reason', f, 60)) reason USING (v)
ORDER BY i, v
