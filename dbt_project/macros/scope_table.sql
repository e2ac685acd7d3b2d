{# Materialization of the scope: rows of the query that are not there yet are appended, none is removed. #}
{% materialization scope, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {% do crash_point('before') %}
    {% if scope_facts().everyone %}
        {% call noop_statement('main', 'EVERYONE', 'EVERYONE', 0) %}{% endcall %}
    {% else %}
        {% call statement('main') %}
            insert into {{ target_relation }}
            select person_id, care_date from ({{ compiled_code }}) as pending
            except
            select person_id, care_date from {{ target_relation }}
        {% endcall %}
        {% do crash_point('inside') %}
        {% do adapter.commit() %}
        {% do crash_point('after') %}
        {% call statement('copy') %}{{ copy_scope() }}{% endcall %}
        {% set kept = kept_relations(['int_hub__membership']) %}
        {% if kept %}{% call statement('datasets') %}{{ copy_datasets_in_scope(kept[0]) }}{% endcall %}{% endif %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
