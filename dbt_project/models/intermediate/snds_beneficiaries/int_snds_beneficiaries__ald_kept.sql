{{ config(materialized='cdm_table', scope='all', changes_with=['snds_beneficiaries'], contract={'enforced': true}) }}
{{ after_scope() }}
select
    {{ hub_id(['condition|snds_beneficiaries', 'ald.person_id', 'ald.code']) }} as event_id,
    ald.person_id,
    ald.code,
    ald.exemption,
    ald.start_date,
    ald.end_date,
    coalesce(disease.target_concept_id, 0) as concept_id,
    coalesce(disease.source_concept_id, 0) as source_concept_id,
    {{ event_domain('disease.target_domain_id', "'Condition'") }} as domain_id
from {{ ref('int_snds_beneficiaries__ald') }} as ald
left join {{ ref('int_hub__concept_map') }} as disease
    on disease.source_vocabulary_id = 'FR_CIM10' and disease.source_code = ald.code
