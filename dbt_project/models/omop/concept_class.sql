{{ config(scope='all') }}
{%- if has_athena() %}
{{ athena_rows() }}
{%- else %}
select distinct concept_class_id, concept_class_id as concept_class_name, 0 as concept_class_concept_id
from {{ ref('concept') }}
{%- endif %}
