{#
    The union of the fragments that feed this CDM table (`vars: fragments` in dbt_project.yml), or no row with the
    contract's columns when nothing feeds it. `beside` names columns the fragments give beside those of the table.
#}
{% macro fragments(beside=[]) %}
    {%- set names = var('fragments').get(model.name, []) -%}
    {%- if names %}{% do ref('int_hub__scope') %}{% endif -%}
    {%- set columns = (model.columns.values() | map(attribute='name') | map('tojson') | list + beside) | join(', ') or '*' -%}
    {%- for name in names %}
    select {{ columns }} from {{ ref(name) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {%- if not names %}
    {{ no_rows() }}
    {%- endif %}
{% endmacro %}


{#
    The union of the fragments of a table that has one row per person: a person whom several datasets describe has the
    row of the dataset named first.
#}
{% macro one_per_person() %}
    {%- do ref('int_hub__scope') -%}
    {%- set names = var('fragments').get(model.name, []) -%}
    {%- set columns = model.columns.values() | map(attribute='name') | map('tojson') | join(', ') or '*' -%}
    {%- for name in names %}
    select {{ columns }} from {{ ref(name) }}
        {%- for earlier in names[:loop.index0] %}
    anti join {{ ref(earlier) }} as earlier_{{ loop.index }} using (person_id)
        {%- endfor %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{% endmacro %}
