select
    care_site_id,
    left(name, 255) as care_site_name,
    0 as place_of_service_concept_id,
    location_id,
    left(organization_id, 50) as care_site_source_value,
    cast(null as varchar) as place_of_service_source_value
from {{ ref('int_hospital_ehr__organization') }}
