select
    start as start_at,
    stop as stop_at,
    patient as patient_id,
    payer as payer_id,
    encounter as encounter_id,
    code,
    description as label,
    base_cost,
    payer_coverage,
    cast(dispenses as integer) as dispenses,
    totalcost as total_cost,
    reasoncode as reason_code,
    reasondescription as reason_label
from {{ source('hospital_ehr', 'medications') }}
