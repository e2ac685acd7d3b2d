select
    start as start_at,
    stop as stop_at,
    patient as patient_id,
    encounter as encounter_id,
    code,
    description as label,
    udi
from {{ source('hospital_ehr', 'devices') }}
