{{ config(scope='all') }}
{%- for seed in var('concept_maps') %}
select * from {{ ref(seed) }}
{{ "union all" if not loop.last }}
{%- endfor %}
