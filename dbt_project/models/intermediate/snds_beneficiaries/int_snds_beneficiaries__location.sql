with residence as (
    select distinct commune, department
    from {{ ref('int_snds_beneficiaries__reference_kept') }}
    where coalesce(commune, department) is not null
)

select
    {{ residence_id('commune', 'residence.department') }} as location_id,
    cast(null as varchar) as address_1,
    cast(null as varchar) as address_2,
    cast(null as varchar) as city,
    known.region as state,
    commune as zip,
    residence.department as county,
    coalesce(commune, residence.department) as location_source_value,
    {{ france() }} as country_concept_id,
    'FRA' as country_source_value,
    cast(null as double) as latitude,
    cast(null as double) as longitude
from residence
left join {{ ref('french_department') }} as known on known.department = residence.department
