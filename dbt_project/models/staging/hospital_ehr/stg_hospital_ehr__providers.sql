select
    id as provider_id,
    organization as organization_id,
    gender,
    speciality as specialty,
    city,
    state,
    zip as postal_code,
    lat as latitude,
    lon as longitude,
    cast(utilization as integer) as utilization
from {{ source('hospital_ehr', 'providers') }}
