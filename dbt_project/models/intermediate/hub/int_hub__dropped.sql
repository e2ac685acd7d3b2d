{%- for model_name in var('dropped') %}
select dataset, rule, reason, dropped_rows from {{ ref(model_name) }}
{{ "union all" if not loop.last }}
{%- endfor %}
