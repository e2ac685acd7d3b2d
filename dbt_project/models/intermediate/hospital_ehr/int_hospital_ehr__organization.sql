select
    organization_id,
    {{ hub_id(['care_site|hospital_ehr', 'organization_id']) }} as care_site_id,
    {{ hub_id(['location|hospital_ehr|site', 'address', 'city', 'state', 'postal_code']) }} as location_id,
    name,
    address,
    city,
    state,
    postal_code,
    latitude,
    longitude
from {{ ref('stg_hospital_ehr__organizations') }}
