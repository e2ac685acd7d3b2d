{#
    Materialization of contributions: what each delivery adds, kept one delivery apart from another. Deliveries that
    left the current set are removed, those that entered it are added; the state is the comparison
    of what was standardised with what is current, so the same run repeated gives the same table.

    `keys_of=[model, its key columns, own key columns]`: when a delivery only lost rows of persons who objected, their
    contributions are found by these keys and the rest of the delivery is left alone. Without it the delivery is
    contributed anew.
#}
{% materialization contribution, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set keys = config.get('keys_of') -%}
    {%- set pending = pending_deliveries(config.require('dataset'), apart=keys is not none) -%}

    {{ run_hooks(pre_hooks) }}
    {% do crash_point('before') %}
    {% if existing is none or scope_facts().everyone %}
        {% do get_assert_columns_equivalent(compiled_code) %}
        {% call statement('create') %}{{ cdm_table_ddl(target_relation) }}{% endcall %}
        {% call statement('main') %}{{ cdm_table_insert(target_relation) if may_have_rows() }}{% endcall %}
    {% elif not pending.any %}
        {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{% endcall %}
    {% else %}
        {% call statement('main') %}
            delete from {{ target_relation }} where {{ '_delivery in (' ~ pending.touched ~ ')' if pending.touched else 'false' }}
        {% endcall %}
        {% if pending.added %}
            {% call statement('insert') %}{{ cdm_table_insert(target_relation) }}{% endcall %}
        {% endif %}
        {% if keys and pending.thinned %}
            {% call statement('thin') %}
            delete from {{ target_relation }}
            where _delivery in ({{ pending.thinned }})
                and (_delivery, {{ keys[2] }}) in (
                    {{ keys_gone(target_relation, keys[2], ref(keys[0]), keys[1], pending.thinned) }}
                )
            {% endcall %}
        {% endif %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {% do crash_point('inside') %}
    {% do adapter.commit() %}
    {% do crash_point('after') %}
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
        {%- set added = pending_deliveries(dataset, apart=config.get('keys_of') is not none).added -%}
        {{ '_delivery in (' ~ added ~ ')' if added else 'false' }}
    {%- endif -%}
{%- endmacro %}


{% macro is_unit_test() %}
    {{ return(model.resource_type == 'unit_test') }}
{% endmacro %}
