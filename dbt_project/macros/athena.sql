{# Whether a folder of Athena files is set (HDH_VOCAB_DIR). #}
{% macro has_athena() %}
    {{ return(env_var('HDH_VOCAB_DIR', '') != '') }}
{% endmacro %}


{# Rows of one Athena file (tab-separated, no quotes), every column as text. #}
{% macro athena_file(name) -%}
    {%- set folder = env_var('HDH_VOCAB_DIR') | replace("'", "''") -%}
    read_csv('{{ folder }}/{{ name | upper }}.csv', delim = '\t', quote = '', escape = '', header = true, all_varchar = true)
{%- endmacro %}


{# The rows of a vocabulary table as Athena gives them, in the contract's types; dates are written yyyymmdd. #}
{% macro athena_rows() -%}
    select
        {%- for column in model.columns.values() %}
        {% if column.data_type == 'date' -%}
        strptime({{ column.name }}, '%Y%m%d')::date
        {%- else -%}
        cast(nullif({{ column.name }}, '') as {{ column.data_type }})
        {%- endif %} as {{ column.name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ athena_file(model.name) }}
{%- endmacro %}


{# A vocabulary table that is empty without Athena. #}
{% macro vocabulary_table() -%}
    {%- if has_athena() -%}{{ athena_rows() }}{%- else -%}{{ no_rows() }}{%- endif -%}
{%- endmacro %}


{# No row, with the contract's columns and those given beside. #}
{% macro no_rows(beside={}) -%}
    select
        {%- for column in model.columns.values() %}
        cast(null as {{ column.data_type }}) as {{ adapter.quote(column.name) }},
        {%- endfor %}
        {%- for name, type in beside.items() %}
        cast(null as {{ type }}) as {{ name }},
        {%- endfor %}
    where false
{%- endmacro %}


{#
    Ingredients of drug concepts, from Athena's ancestry, several for a drug made of several; no row without it, and a
    drug then stands for itself.
#}
{% macro ingredients() -%}
    select ancestor.descendant_concept_id as drug_concept_id, ancestor.ancestor_concept_id as ingredient_concept_id
    from {{ ref('concept_ancestor') }} as ancestor
    inner join {{ ref('concept') }} as concept on concept.concept_id = ancestor.ancestor_concept_id
    where concept.vocabulary_id = 'RxNorm' and concept.concept_class_id = 'Ingredient' and concept.standard_concept = 'S'
{%- endmacro %}
