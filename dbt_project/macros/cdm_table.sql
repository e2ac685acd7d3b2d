{#
    A table kept equal to its query by scope, in one transaction:

    * missing, or everyone in scope: created anew with the contract's types and NOT NULL, then filled;
    * otherwise: rows in scope are deleted, the query's rows in scope are inserted;
    * nothing in scope: nothing is written.

    Configuration: `scope_person` names the person column; `scope_date` the date whose month counts (none: the whole
    person); `scope='all'` says the table is not about persons: it is rewritten when its content differs.
    `partition_by` lists DuckLake partition expressions.
#}
{% materialization cdm_table, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set facts = scope_facts() -%}
    {%- set whole = existing is none or facts.everyone -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if whole or (config.get('scope') == 'all' and cdm_table_differs(target_relation)) %}
        {% do get_assert_columns_equivalent(compiled_code) %}
        {% call statement('create') %}{{ cdm_table_ddl(target_relation) }}{% endcall %}
        {% call statement('main') %}{{ cdm_table_insert(target_relation) }}{% endcall %}
    {% elif config.get('scope') == 'all' or not (facts.persons or facts.months) %}
        {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{% endcall %}
    {% else %}
        {%- set condition = in_scope(facts, config.require('scope_person'), config.get('scope_date')) -%}
        {% call statement('delete') %}delete from {{ target_relation }} where {{ condition }}{% endcall %}
        {% call statement('main') %}{{ cdm_table_insert(target_relation, condition) }}{% endcall %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% macro cdm_table_ddl(relation) %}
    create or replace table {{ relation }} (
        {% for column in model.columns.values() -%}
        {{ adapter.quote(column.name) }} {{ column.data_type }}
            {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list %} not null{% endif %}
            {{- "," if not loop.last }}
        {% endfor %}
    );
    {% if config.get('partition_by') -%}
    alter table {{ relation }} set partitioned by ({{ config.get('partition_by') | join(', ') }});
    {%- endif %}
{% endmacro %}


{% macro cdm_table_insert(relation, condition=none) %}
    {%- set columns = model.columns.values() | map(attribute='name') | map('tojson') | join(', ') -%}
    insert into {{ relation }} ({{ columns }})
    select {{ columns }} from (
        {{ compiled_code }}
    ) as fragment
    {% if condition %}where {{ condition }}{% endif %}
{% endmacro %}


{% macro cdm_table_differs(relation) %}
    {%- set columns = model.columns.values() | map(attribute='name') | map('tojson') | join(', ') -%}
    {% set found = run_query(
        "with fresh as (select " ~ columns ~ " from (" ~ compiled_code ~ ") as query),"
        ~ " kept as (select " ~ columns ~ " from " ~ relation ~ ")"
        ~ " select exists (from fresh except all from kept) or exists (from kept except all from fresh)"
    ) %}
    {{ return(found.rows[0][0]) }}
{% endmacro %}
