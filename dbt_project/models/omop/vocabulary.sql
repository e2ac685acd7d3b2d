{{ config(scope='all') }}
{%- if has_athena() %}
{{ athena_rows() }}
{%- else %}
select
    vocabulary_id,
    vocabulary_id as vocabulary_name,
    'hub' as vocabulary_reference,
    cast(null as varchar) as vocabulary_version,
    0 as vocabulary_concept_id
from (
    select vocabulary_id from {{ ref('concept') }}
    union
    select source_vocabulary_id from {{ ref('int_hub__concept_map') }}
) as used
{%- endif %}
