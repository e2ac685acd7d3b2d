{{ config(scope='all') }}
{%- if has_athena() %}
{{ athena_rows() }}
{%- else %}
select distinct domain_id, domain_id as domain_name, 0 as domain_concept_id from {{ ref('concept') }}
union
select 'Visit', 'Visit', 0
{%- endif %}
