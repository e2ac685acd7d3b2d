{# The register of establishments is not among the deliveries: the number tells the department and no more. #}
select
    {{ hub_id(['location|finess', 'finess']) }} as location_id,
    cast(null as varchar) as address_1,
    cast(null as varchar) as address_2,
    cast(null as varchar) as city,
    known.region as state,
    cast(null as varchar) as zip,
    establishment.department as county,
    establishment.finess as location_source_value,
    {{ france() }} as country_concept_id,
    'FRA' as country_source_value,
    cast(null as double) as latitude,
    cast(null as double) as longitude
from {{ ref('int_snds_dcir__establishment') }} as establishment
left join {{ ref('french_department') }} as known on known.department = establishment.department
