select
    date as event_at,
    patient as patient_id,
    encounter as encounter_id,
    category,
    code,
    description as label,
    value as value_text,
    units as unit,
    type as kind
from {{ source('hospital_ehr', 'observations') }}
