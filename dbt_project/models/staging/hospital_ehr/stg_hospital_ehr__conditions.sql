select
    start as start_date,
    stop as stop_date,
    patient as patient_id,
    encounter as encounter_id,
    code,
    description as label
from {{ source('hospital_ehr', 'conditions') }}
