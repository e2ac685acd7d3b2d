with performed as (
    {{ events_of('Procedure', {'procedures': {}}) }}
)

select
    event_id as procedure_occurrence_id,
    person_id,
    concept_id as procedure_concept_id,
    cast(start_at as date) as procedure_date,
    start_at as procedure_datetime,
    cast(stop_at as date) as procedure_end_date,
    stop_at as procedure_end_datetime,
    32827 as procedure_type_concept_id,
    cast(null as integer) as modifier_concept_id,
    cast(null as integer) as quantity,
    provider_id,
    visit_occurrence_id,
    visit_detail_id,
    code as procedure_source_value,
    source_concept_id as procedure_source_concept_id,
    cast(null as varchar) as modifier_source_value
from performed
