{{ config(scope='all') }}
{%- set used %}
    select
        vocabulary_id,
        vocabulary_id as vocabulary_name,
        'hub' as vocabulary_reference,
        cast(null as varchar) as vocabulary_version,
        0 as vocabulary_concept_id
    from (
        select vocabulary_id from {{ ref('concept') }}
        union
        select source_vocabulary_id from {{ ref('source_to_concept_map') }}
    ) as named
{%- endset %}
{{ vocabulary_with(used, 'vocabulary_id') }}
