select
    id as careplan_id,
    start as start_date,
    stop as stop_date,
    patient as patient_id,
    encounter as encounter_id,
    code,
    description as label,
    reasoncode as reason_code,
    reasondescription as reason_label
from {{ source('hospital_ehr', 'careplans') }}
