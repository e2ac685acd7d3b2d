select
    start as start_date,
    stop as stop_date,
    patient as patient_id,
    encounter as encounter_id,
    code,
    system as code_system,
    description as label,
    type as kind,
    category,
    reaction1 as reaction_1,
    description1 as reaction_label_1,
    severity1 as severity_1,
    reaction2 as reaction_2,
    description2 as reaction_label_2,
    severity2 as severity_2
from {{ source('hospital_ehr', 'allergies') }}
