select
    date as event_at,
    patient as patient_id,
    encounter as encounter_id,
    code,
    description as label,
    base_cost
from {{ source('hospital_ehr', 'immunizations') }}
