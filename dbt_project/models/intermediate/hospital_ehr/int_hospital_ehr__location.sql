with home as (
    select distinct
        {{ home_id('city', 'county', 'state', 'postal_code') }} as location_id,
        cast(null as varchar) as address,
        city,
        state,
        postal_code,
        county,
        cast(null as double) as latitude,
        cast(null as double) as longitude
    from {{ ref('stg_hospital_ehr__patients') }}
    where coalesce(city, county, state, postal_code) is not null
),

-- Establishments of one address are one place, at the point of one of them.
site as (
    select
        location_id,
        address,
        city,
        state,
        postal_code,
        cast(null as varchar) as county,
        latitude,
        longitude
    from {{ ref('int_hospital_ehr__organization') }}
    qualify row_number() over (partition by location_id order by organization_id) = 1
),

place as (
    select * from home
    union all
    select * from site
)

select
    place.location_id,
    left(place.address, 50) as address_1,
    cast(null as varchar) as address_2,
    left(place.city, 50) as city,
    case when length(place.state) <= 2 then place.state else known.code end as state,
    left(replace(place.postal_code, '-', ''), 9) as zip,
    left(place.county, 20) as county,
    left(place.postal_code, 50) as location_source_value,
    cast(null as integer) as country_concept_id,
    cast(null as varchar) as country_source_value,
    place.latitude,
    place.longitude
from place
left join {{ ref('hospital_ehr_state') }} as known on known.state = place.state
