{{ config(materialized='ephemeral') }}
select
    event.event_id as procedure_occurrence_id,
    event.person_id,
    event.concept_id as procedure_concept_id,
    event.care_start as procedure_date,
    cast(event.care_start as timestamp) as procedure_datetime,
    event.care_end as procedure_end_date,
    cast(event.care_end as timestamp) as procedure_end_datetime,
    {{ type_of_event() }} as procedure_type_concept_id,
    case when event.modifier is not null then 0 end as modifier_concept_id,
    cast(ceil(event.counted) as integer) as quantity,
    {{ provider_of_event() }} as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    {{ code_of_event() }} as procedure_source_value,
    event.source_concept_id as procedure_source_concept_id,
    event.modifier as modifier_source_value
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
-- Acts of nurses, physiotherapists and others have no refined row: their nature is all there is.
where event.domain_id = 'Procedure'
