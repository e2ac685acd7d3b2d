select
    {{ hub_id(['condition|snds_beneficiaries', 'ald.person_id', 'ald.code']) }} as condition_occurrence_id,
    ald.person_id,
    coalesce(disease.target_concept_id, 0) as condition_concept_id,
    ald.start_date as condition_start_date,
    cast(ald.start_date as timestamp) as condition_start_datetime,
    ald.end_date as condition_end_date,
    cast(ald.end_date as timestamp) as condition_end_datetime,
    32810 as condition_type_concept_id,
    0 as condition_status_concept_id,
    cast(null as varchar) as stop_reason,
    cast(null as bigint) as provider_id,
    cast(null as bigint) as visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    ald.code as condition_source_value,
    coalesce(disease.source_concept_id, 0) as condition_source_concept_id,
    ald.exemption as condition_status_source_value
from {{ ref('int_snds_beneficiaries__ald_kept') }} as ald
left join {{ ref('int_hub__concept_map') }} as disease
    on disease.source_vocabulary_id = 'FR_CIM10' and disease.source_code = ald.code
