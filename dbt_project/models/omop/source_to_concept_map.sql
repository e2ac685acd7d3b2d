{{ config(scope='all') }}
-- depends_on: {{ ref('int_hub__scope') }}
{%- for seed in var('concept_maps') %}
select * from {{ ref(seed) }}
{{ "union all" if not loop.last }}
{%- endfor %}
