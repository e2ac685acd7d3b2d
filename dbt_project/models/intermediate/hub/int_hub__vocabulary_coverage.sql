{%- for model_name in var('vocabulary_coverage') %}
select dataset, source_vocabulary_id, coded_rows, mapped_rows, codes, mapped_codes from {{ ref(model_name) }}
{{ "union all" if not loop.last }}
{%- endfor %}
