{{ config(materialized='ephemeral') }}
select
    event.event_id as observation_id,
    event.person_id,
    event.concept_id as observation_concept_id,
    event.care_start as observation_date,
    cast(event.care_start as timestamp) as observation_datetime,
    {{ type_of_event() }} as observation_type_concept_id,
    cast(event.counted as double) as value_as_number,
    cast(null as varchar) as value_as_string,
    cast(null as integer) as value_as_concept_id,
    cast(null as integer) as qualifier_concept_id,
    cast(null as integer) as unit_concept_id,
    {{ provider_of_event() }} as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    {{ code_of_event() }} as observation_source_value,
    event.source_concept_id as observation_source_concept_id,
    cast(null as varchar) as unit_source_value,
    cast(null as varchar) as qualifier_source_value,
    cast(null as varchar) as value_source_value,
    cast(null as bigint) as observation_event_id,
    cast(null as integer) as obs_event_field_concept_id
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
where event.domain_id = 'Observation'
