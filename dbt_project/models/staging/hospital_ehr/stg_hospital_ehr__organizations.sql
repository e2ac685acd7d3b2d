select
    id as organization_id,
    name,
    address,
    city,
    state,
    zip as postal_code,
    lat as latitude,
    lon as longitude,
    phone,
    revenue,
    cast(utilization as integer) as utilization
from {{ source('hospital_ehr', 'organizations') }}
