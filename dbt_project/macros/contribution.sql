{#
    Materialization of contributions: what each delivery adds, kept one delivery apart from another. Deliveries that
    left the current set are removed, those that entered it are added; the state is the comparison
    of what was standardised with what is current, so the same run repeated gives the same table.
#}
{% materialization contribution, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set pending = pending_deliveries(config.require('dataset')) -%}

    {{ run_hooks(pre_hooks) }}
    {% if existing is none or scope_facts().everyone %}
        {% do get_assert_columns_equivalent(compiled_code) %}
        {% call statement('create') %}{{ cdm_table_ddl(target_relation) }}{% endcall %}
        {% call statement('main') %}{{ cdm_table_insert(target_relation) }}{% endcall %}
    {% elif not pending.any %}
        {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{% endcall %}
    {% else %}
        {% call statement('main') %}delete from {{ target_relation }} where _delivery in ({{ pending.touched }}){% endcall %}
        {% if pending.added %}
            {% call statement('insert') %}{{ cdm_table_insert(target_relation) }}{% endcall %}
        {% endif %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{#
    SQL condition that keeps the deliveries a contribution model must read: those that entered the current set, or all
    when everything is rebuilt and in unit tests. Ids are written out so that files of other deliveries are not opened.
#}
{% macro pending_filter(dataset) -%}
    {%- if not execute or is_unit_test() or scope_facts().everyone -%}
        true
    {%- else -%}
        {%- set added = pending_deliveries(dataset).added -%}
        {{ '_delivery in (' ~ added ~ ')' if added else 'false' }}
    {%- endif -%}
{%- endmacro %}


{% macro is_unit_test() %}
    {{ return(model.resource_type == 'unit_test') }}
{% endmacro %}
