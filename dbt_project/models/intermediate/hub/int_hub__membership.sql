{{ config(materialized='cdm_table', scope='all', contract={'enforced': true}) }}
{{ after_scope() }}
{%- for dataset, persons in var('snapshots').items() %}
select '{{ dataset }}' as dataset, person_id from {{ ref(persons) }}
{{ "union all" if not loop.last }}
{%- endfor %}
{%- if not var('snapshots') %}
{{ no_rows() }}
{%- endif %}
