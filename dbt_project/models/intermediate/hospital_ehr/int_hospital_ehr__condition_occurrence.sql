with diagnosed as (
    {{ events_of('Condition', {'conditions': {}}) }}
)

select
    event_id as condition_occurrence_id,
    person_id,
    concept_id as condition_concept_id,
    cast(start_at as date) as condition_start_date,
    start_at as condition_start_datetime,
    cast(stop_at as date) as condition_end_date,
    stop_at as condition_end_datetime,
    32827 as condition_type_concept_id,
    cast(null as integer) as condition_status_concept_id,
    cast(null as varchar) as stop_reason,
    provider_id,
    visit_occurrence_id,
    visit_detail_id,
    code as condition_source_value,
    source_concept_id as condition_source_concept_id,
    cast(null as varchar) as condition_status_source_value
from diagnosed
