select
    provider_id as practitioner_id,
    {{ hub_id(['provider|hospital_ehr', 'provider_id']) }} as provider_id,
    organization_id,
    gender,
    specialty
from {{ ref('stg_hospital_ehr__providers') }}
