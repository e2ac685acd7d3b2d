with establishment as (
    select distinct establishment
    from {{ ref('int_snds_dcir__event') }}
    where is_first_of_visit and establishment is not null
)

select
    {{ hub_id(['care_site|finess', 'establishment']) }} as care_site_id,
    cast(null as varchar) as care_site_name,
    0 as place_of_service_concept_id,
    cast(null as bigint) as location_id,
    establishment as care_site_source_value,
    cast(null as varchar) as place_of_service_source_value
from establishment
