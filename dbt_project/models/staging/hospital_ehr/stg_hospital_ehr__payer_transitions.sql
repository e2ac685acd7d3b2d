select
    patient as patient_id,
    memberid as member_id,
    start_year as start_at,
    end_year as end_at,
    payer as payer_id,
    secondary_payer as secondary_payer_id,
    ownership
from {{ source('hospital_ehr', 'payer_transitions') }}
