{#
    The union of the fragments that feed this CDM table (`vars: fragments` in dbt_project.yml), or no row with the
    contract's columns when nothing feeds it.
#}
{% macro fragments() %}
    {%- do ref('int_hub__scope') -%}
    {%- set names = var('fragments').get(model.name, []) -%}
    {%- set columns = model.columns.values() | map(attribute='name') | map('tojson') | join(', ') or '*' -%}
    {%- for name in names %}
    select {{ columns }} from {{ ref(name) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {%- if not names %}
    select
        {%- for column in model.columns.values() %}
        cast(null as {{ column.data_type }}) as {{ adapter.quote(column.name) }}{{ "," if not loop.last }}
        {%- endfor %}
    where false
    {%- endif %}
{% endmacro %}
