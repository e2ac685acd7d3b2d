-- Rule 41: one row per person, here from the reference; certificates come first once they are delivered.
select
    person_id,
    death_date,
    -- Null without a time, says the CDM of this table alone; the day may be only the last of a month.
    cast(null as timestamp) as death_datetime,
    32810 as death_type_concept_id,
    cast(null as integer) as cause_concept_id,
    cast(null as varchar) as cause_source_value,
    cast(null as integer) as cause_source_concept_id
from {{ ref('int_snds_beneficiaries__reference_kept') }}
where death_date is not null
