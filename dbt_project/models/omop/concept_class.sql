{{ config(scope='all') }}
{%- set used %}
    select distinct concept_class_id, concept_class_id as concept_class_name, 0 as concept_class_concept_id
    from {{ ref('concept') }}
{%- endset %}
{{ vocabulary_with(used, 'concept_class_id') }}
