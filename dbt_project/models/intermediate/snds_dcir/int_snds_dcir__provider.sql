{#
    One provider per specialty or activity, under its code: the SNDS has no practitioner identity that could be used
    (C.2), and the two code lists share no code. All there can be, not those in use, so that the table does not move with
    each flux.
#}
with practice as (
    select cast(code as varchar) as code
    from range(1, 100) as practice (code)
    where code <> 99
)

select
    {{ hub_id(['provider|snds', 'practice.code']) }} as provider_id,
    cast(null as varchar) as provider_name,
    cast(null as varchar) as npi,
    cast(null as varchar) as dea,
    coalesce(specialty.target_concept_id, activity.target_concept_id, 0) as specialty_concept_id,
    cast(null as bigint) as care_site_id,
    cast(null as integer) as year_of_birth,
    cast(null as integer) as gender_concept_id,
    practice.code as provider_source_value,
    practice.code as specialty_source_value,
    coalesce(specialty.source_concept_id, activity.source_concept_id, 0) as specialty_source_concept_id,
    cast(null as varchar) as gender_source_value,
    cast(null as integer) as gender_source_concept_id
from practice
left join {{ ref('int_hub__concept_map') }} as specialty
    on specialty.source_vocabulary_id = 'FR_SPE' and specialty.source_code = practice.code
left join {{ ref('int_hub__concept_map') }} as activity
    on activity.source_vocabulary_id = 'FR_ACT' and activity.source_code = practice.code
