select
    {{ hub_id(['care_site|finess', 'finess']) }} as care_site_id,
    cast(null as varchar) as care_site_name,
    cast(null as integer) as place_of_service_concept_id,
    {{ hub_id(['location|finess', 'finess']) }} as location_id,
    finess as care_site_source_value,
    cast(null as varchar) as place_of_service_source_value
from {{ ref('int_snds_dcir__establishment') }}
