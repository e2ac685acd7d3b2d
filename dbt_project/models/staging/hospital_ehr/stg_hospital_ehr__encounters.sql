select
    id as encounter_id,
    start as start_at,
    stop as stop_at,
    patient as patient_id,
    organization as organization_id,
    provider as provider_id,
    payer as payer_id,
    encounterclass as encounter_class,
    code,
    description as label,
    base_encounter_cost,
    total_claim_cost,
    payer_coverage,
    reasoncode as reason_code,
    reasondescription as reason_label,
    _period
from {{ source('hospital_ehr', 'encounters') }}
