{{ config(scope='all') }}
{# Dates come from the deliveries, not from the clock: the same deliveries give the same row. #}
with delivered as (
    select cast(coalesce(max(loaded_at), timestamptz '1970-01-01 00:00:00+00') as date) as latest
    from {{ source('hub', 'delivery') }}
    where status = 'current'
)

select
    'Health Data Hub' as cdm_source_name,
    'HDH' as cdm_source_abbreviation,
    'Health Data Hub' as cdm_holder,
    'Deliveries of health data producers, checked and pseudonymised' as source_description,
    cast(null as varchar) as source_documentation_reference,
    nullif('{{ env_var("HDH_CODE_VERSION", "") }}', '') as cdm_etl_reference,
    latest as source_release_date,
    latest as cdm_release_date,
    '5.4' as cdm_version,
    756265 as cdm_version_concept_id,
    {% if has_athena() -%}
    coalesce(
        (select left(vocabulary_version, 20) from {{ ref('vocabulary') }} where vocabulary_id = 'None'), 'Athena'
    )
    {%- else -%}
    'hub'
    {%- endif %} as vocabulary_version
from delivered
