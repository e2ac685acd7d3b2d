select
    event_id as procedure_occurrence_id,
    person_id,
    concept_id as procedure_concept_id,
    start_date as procedure_date,
    cast(start_date as timestamp) as procedure_datetime,
    cast(null as date) as procedure_end_date,
    cast(null as timestamp) as procedure_end_datetime,
    32810 as procedure_type_concept_id,
    cast(null as integer) as modifier_concept_id,
    cast(null as integer) as quantity,
    cast(null as bigint) as provider_id,
    cast(null as bigint) as visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    code as procedure_source_value,
    source_concept_id as procedure_source_concept_id,
    cast(null as varchar) as modifier_source_value
from {{ ref('int_snds_beneficiaries__ald_kept') }}
where domain_id = 'Procedure'
