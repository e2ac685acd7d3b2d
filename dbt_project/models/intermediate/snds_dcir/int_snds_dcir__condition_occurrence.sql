{{ config(materialized='ephemeral') }}
select
    event.event_id as condition_occurrence_id,
    event.person_id,
    event.concept_id as condition_concept_id,
    event.care_start as condition_start_date,
    cast(event.care_start as timestamp) as condition_start_datetime,
    event.care_end as condition_end_date,
    cast(event.care_end as timestamp) as condition_end_datetime,
    {{ type_of_event() }} as condition_type_concept_id,
    cast(null as integer) as condition_status_concept_id,
    cast(null as varchar) as stop_reason,
    {{ provider_of_event() }} as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    {{ code_of_event() }} as condition_source_value,
    event.source_concept_id as condition_source_concept_id,
    cast(null as varchar) as condition_status_source_value
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
where event.domain_id = 'Condition'
