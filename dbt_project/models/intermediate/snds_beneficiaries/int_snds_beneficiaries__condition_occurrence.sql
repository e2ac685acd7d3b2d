select
    event_id as condition_occurrence_id,
    person_id,
    concept_id as condition_concept_id,
    start_date as condition_start_date,
    cast(start_date as timestamp) as condition_start_datetime,
    end_date as condition_end_date,
    cast(end_date as timestamp) as condition_end_datetime,
    32810 as condition_type_concept_id,
    case when exemption is not null then 0 end as condition_status_concept_id,
    cast(null as varchar) as stop_reason,
    cast(null as bigint) as provider_id,
    cast(null as bigint) as visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    code as condition_source_value,
    source_concept_id as condition_source_concept_id,
    exemption as condition_status_source_value
from {{ ref('int_snds_beneficiaries__ald_kept') }}
where domain_id = 'Condition'
