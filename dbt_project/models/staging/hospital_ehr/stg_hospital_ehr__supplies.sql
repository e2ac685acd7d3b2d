select
    date as event_date,
    patient as patient_id,
    encounter as encounter_id,
    code,
    description as label,
    cast(quantity as integer) as quantity
from {{ source('hospital_ehr', 'supplies') }}
