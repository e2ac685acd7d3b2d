with performed as (
    select
        event_id,
        person_id,
        concept_id,
        source_concept_id,
        code,
        start_at,
        stop_at,
        provider_id,
        visit_occurrence_id,
        visit_detail_id
    from {{ ref('int_hospital_ehr__coded_procedures') }}
    where domain_id = 'Procedure'
    union all by name
    select * exclude (domain_id)
    from {{ ref('int_hospital_ehr__stray') }}
    where domain_id = 'Procedure'
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
