{#- The concept of a substance is no observation: it says what somebody does not bear. #}
{%- set is_substance = "coalesce(concept_domain_id, 'Observation') <> 'Observation'" %}
{%- set answered = "case when kind = 'numeric' then " ~ number_in('value_text') ~ " end" %}
with observed as (
    {{ events_of('Observation', {
        'observations': {
            'value_as_number': answered,
            'value_as_string': 'case when ' ~ answered ~ ' is null then value_text end',
            'unit': unit_told(),
            'value_text': 'value_text',
        },
        'conditions': {},
        'procedures': {},
        'allergies': {
            'concept_id': 'case when ' ~ is_substance ~ ' then 0 else concept_id end',
            'value_as_concept_id': 'case when ' ~ is_substance ~ ' then concept_id end',
            'qualifier': 'kind',
        },
    }) }}
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
