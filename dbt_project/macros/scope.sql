{#
    The scope: which (person, care month) pairs the run must recompute. Person 0 stands for everyone; a null month for
    all months of the person; the month without care (year 1) for the rows about the person alone.

    It is kept in the lake, so that it survives a killed run, and copied into memory when dbt starts and when it grows:
    every model reads it. `scope_facts` reads it once per model; the conditions below take its answer, so that only what
    the scope really holds is joined and files outside its months are pruned.
#}
{% macro scope_facts() %}
    {% set nothing = {'everyone': false, 'persons': 0, 'months': 0, 'attributes': 0, 'first': none, 'last': none} %}
    {% if not execute %}{{ return(nothing) }}{% endif %}
    {% if is_unit_test() %}{{ return(dict(nothing, everyone=true)) }}{% endif %}
    {% set row = run_query(
        "select coalesce(bool_or(person_id = 0), false), count(*) filter (care_month is null),"
        ~ " count(*) filter (care_month > " ~ no_care_month() ~ "), count(*) filter (care_month = " ~ no_care_month()
        ~ "), min(care_month) filter (care_month > " ~ no_care_month() ~ "), max(care_month) from " ~ scope_relation()
    ).rows[0] %}
    {{ return({
        'everyone': row[0], 'persons': row[1], 'months': row[2], 'attributes': row[3], 'first': row[4], 'last': row[5],
    }) }}
{% endmacro %}


{% macro scope_relation() %}
    {{ return('temp.main.hub_scope') }}
{% endmacro %}


{# Makes the model wait for the scope. A unit test has no scope to wait for. #}
{% macro after_scope() -%}
    {%- if not is_unit_test() %}{% do ref('int_hub__scope') %}{% endif -%}
{%- endmacro %}


{# The scope of a lake that has none yet. #}
{% macro create_scope() %}
    create table if not exists {{ kept_scope() }} (person_id bigint not null, care_month date)
{% endmacro %}


{% macro copy_scope() %}
    create or replace temp table {{ scope_relation() }} as select distinct person_id, care_month from {{ kept_scope() }}
{% endmacro %}


{% macro kept_scope() %}
    {{ return(target.database ~ '.staging.int_hub__scope') }}
{% endmacro %}


{# A month without care: puts a person's own rows in scope and none of the events. #}
{% macro no_care_month() -%}
    date '0001-01-01'
{%- endmacro %}


{# SQL condition: the row of `person` (and of the month of `date`, if given) is in scope. #}
{% macro in_scope(facts, person, date=none) -%}
    {%- set whole_person = person ~ ' in (select person_id from ' ~ scope_relation() ~ ' where care_month is null)' -%}
    {%- if facts.everyone -%}
        true
    {%- elif date is none -%}
        {{ person }} in (select person_id from {{ scope_relation() }})
    {%- elif not facts.months -%}
        {{ whole_person }}
    {%- else -%}
        {%- set of_month = '(' ~ person ~ ", cast(date_trunc('month', " ~ date ~ ') as date)) in (select (person_id, care_month) from '
            ~ scope_relation() ~ ' where care_month is not null)' -%}
        {%- if facts.persons -%}
        ({{ whole_person }} or {{ of_month }})
        {%- else -%}
        (
            {{ date }} >= date '{{ facts.first }}'
            and {{ date }} < date '{{ facts.last }}' + interval 1 month
            and {{ of_month }}
        )
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# The same, for a model that must filter before it groups (`filters_itself`). #}
{% macro scope_condition(person, date=none) -%}
    {{ in_scope(scope_facts(), person, date) }}
{%- endmacro %}
