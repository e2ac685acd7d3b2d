with diagnosed as (
    select
        event_id,
        person_id,
        concept_id,
        source_concept_id,
        code,
        cast(start_date as timestamp) as start_at,
        cast(stop_date as timestamp) as stop_at,
        provider_id,
        visit_occurrence_id,
        visit_detail_id
    from {{ ref('int_hospital_ehr__coded_conditions') }}
    where domain_id = 'Condition'
    union all by name
    select * exclude (domain_id)
    from {{ ref('int_hospital_ehr__stray') }}
    where domain_id = 'Condition'
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
