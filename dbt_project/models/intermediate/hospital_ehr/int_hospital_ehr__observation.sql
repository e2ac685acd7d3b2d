{%- set is_substance = "coalesce(concept_domain_id, 'Observation') <> 'Observation'" %}
{%- set answered = "case when kind = 'numeric' then " ~ number_in('value_text') ~ " end" %}
with observed as (
    select
        event_id,
        person_id,
        concept_id,
        event_at as start_at,
        {{ answered }} as value_as_number,
        case when {{ answered }} is null then value_text end as value_as_string,
        case when unit <> 'null' then unit end as unit,
        cast(null as integer) as value_as_concept_id,
        cast(null as varchar) as qualifier,
        value_text,
        provider_id,
        visit_occurrence_id,
        visit_detail_id,
        code,
        source_concept_id
    from {{ ref('int_hospital_ehr__coded_observations') }}
    where domain_id = 'Observation'
    union all
    select
        event_id,
        person_id,
        concept_id,
        cast(start_date as timestamp),
        null,
        null,
        null,
        null,
        null,
        null,
        provider_id,
        visit_occurrence_id,
        visit_detail_id,
        code,
        source_concept_id
    from {{ ref('int_hospital_ehr__coded_conditions') }}
    where domain_id = 'Observation'
    union all
    select
        event_id,
        person_id,
        concept_id,
        start_at,
        null,
        null,
        null,
        null,
        null,
        null,
        provider_id,
        visit_occurrence_id,
        visit_detail_id,
        code,
        source_concept_id
    from {{ ref('int_hospital_ehr__coded_procedures') }}
    where domain_id = 'Observation'
    union all
    select
        event_id,
        person_id,
        -- The concept of a substance is no observation: it says what somebody does not bear.
        case when {{ is_substance }} then 0 else concept_id end,
        cast(start_date as timestamp),
        null,
        null,
        null,
        case when {{ is_substance }} then concept_id end,
        kind,
        null,
        provider_id,
        visit_occurrence_id,
        visit_detail_id,
        code,
        source_concept_id
    from {{ ref('int_hospital_ehr__coded_allergies') }}
    where domain_id = 'Observation'
    union all by name
    select * exclude (domain_id)
    from {{ ref('int_hospital_ehr__stray') }}
    where domain_id = 'Observation'
)

select
    observed.event_id as observation_id,
    observed.person_id,
    observed.concept_id as observation_concept_id,
    cast(observed.start_at as date) as observation_date,
    observed.start_at as observation_datetime,
    32817 as observation_type_concept_id,
    observed.value_as_number,
    left(observed.value_as_string, 60) as value_as_string,
    observed.value_as_concept_id,
    cast(null as integer) as qualifier_concept_id,
    case when observed.unit is not null then coalesce(unit.concept_id, 0) end as unit_concept_id,
    observed.provider_id,
    observed.visit_occurrence_id,
    observed.visit_detail_id,
    observed.code as observation_source_value,
    observed.source_concept_id as observation_source_concept_id,
    left(observed.unit, 50) as unit_source_value,
    left(observed.qualifier, 50) as qualifier_source_value,
    left(observed.value_text, 50) as value_source_value,
    cast(null as bigint) as observation_event_id,
    cast(null as integer) as obs_event_field_concept_id
from observed
left join {{ ref('int_hospital_ehr__code') }} as unit
    on unit.source_vocabulary_id = 'UCUM' and unit.source_code = observed.unit
