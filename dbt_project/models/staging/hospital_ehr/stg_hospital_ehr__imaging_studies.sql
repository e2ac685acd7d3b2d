select
    id as imaging_study_id,
    date as event_at,
    patient as patient_id,
    encounter as encounter_id,
    series_uid,
    bodysite_code,
    bodysite_description as bodysite_label,
    modality_code,
    modality_description as modality_label,
    instance_uid,
    sop_code,
    sop_description as sop_label,
    procedure_code
from {{ source('hospital_ehr', 'imaging_studies') }}
