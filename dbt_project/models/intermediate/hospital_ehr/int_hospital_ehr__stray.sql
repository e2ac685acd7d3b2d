{{ config(materialized='cdm_table', dataset='hospital_ehr', scope_person='person_id', contract={'enforced': true}) }}
-- depends_on: {{ ref('int_hub__scope') }}, {{ ref('int_hospital_ehr__code') }}
{%- for file in files_of_events() %}
-- depends_on: {{ ref('stg_hospital_ehr__' ~ file) }}, {{ ref('int_hospital_ehr__coded_' ~ file) }}
{%- endfor %}
with stray as (
    select
        cast(null as varchar) as domain_id,
        cast(null as bigint) as event_id,
        cast(null as bigint) as person_id,
        cast(null as integer) as concept_id,
        cast(null as integer) as source_concept_id,
        cast(null as varchar) as code,
        cast(null as timestamp) as start_at,
        cast(null as timestamp) as stop_at,
        cast(null as bigint) as provider_id,
        cast(null as bigint) as visit_occurrence_id,
        cast(null as bigint) as visit_detail_id
    where false
    {%- for file, domains in files_with_strays().items() %}
    {%- set columns = files_of_events()[file] %}
    union all
    select
        domain_id,
        event_id,
        person_id,
        concept_id,
        source_concept_id,
        code,
        cast({{ columns.start }} as timestamp),
        cast({{ columns.stop }} as timestamp),
        provider_id,
        visit_occurrence_id,
        visit_detail_id
    from {{ ref('int_hospital_ehr__coded_' ~ file) }}
    where domain_id in ('{{ domains | join("', '") }}')
    {%- endfor %}
)

select * from stray
