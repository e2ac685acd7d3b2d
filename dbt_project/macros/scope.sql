{#
    The scope: which (person, date of care) pairs the run must recompute. Person 0 stands for everyone; a null date for
    all dates of the person; the date without care (year 1) for the rows about the person alone.

    It is kept in the lake, so that it survives a killed run, and copied into memory when dbt starts and when it grows:
    every model reads it. `scope_facts` reads it once per model; the conditions below take its answer, so that only what
    the scope really holds is joined and files outside its dates are pruned.
#}
{% macro scope_facts() %}
    {% set nothing = {'everyone': false, 'persons': 0, 'dates': 0, 'attributes': 0, 'first': none, 'last': none} %}
    {% if not execute %}{{ return(nothing) }}{% endif %}
    {% if is_unit_test() %}{{ return(dict(nothing, everyone=true)) }}{% endif %}
    {% set row = run_query(
        "select coalesce(bool_or(person_id = 0), false), count(*) filter (care_date is null),"
        ~ " count(*) filter (care_date > " ~ no_care_date() ~ "), count(*) filter (care_date = " ~ no_care_date()
        ~ "), min(care_date) filter (care_date > " ~ no_care_date() ~ "), max(care_date) from " ~ scope_relation()
    ).rows[0] %}
    {{ return({
        'everyone': row[0], 'persons': row[1], 'dates': row[2], 'attributes': row[3], 'first': row[4], 'last': row[5],
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
    create table if not exists {{ kept_scope() }} (person_id bigint not null, care_date date)
{% endmacro %}


{% macro copy_scope() %}
    create or replace temp table {{ scope_relation() }} as select distinct person_id, care_date from {{ kept_scope() }}
{% endmacro %}


{# The snapshots with anyone in scope, once the scope is whole. #}
{% macro copy_datasets_in_scope(membership) %}
    create or replace temp table {{ datasets_in_scope() }} as
    select distinct dataset from {{ membership }}
    semi join {{ scope_relation() }} using (person_id)
{% endmacro %}


{% macro datasets_in_scope() %}
    {{ return('temp.main.hub_datasets_in_scope') }}
{% endmacro %}


{% macro kept_scope() %}
    {{ return(target.database ~ '.staging.int_hub__scope') }}
{% endmacro %}


{# A date without care: puts a person's own rows in scope and none of the events. #}
{% macro no_care_date() -%}
    date '0001-01-01'
{%- endmacro %}


{#
    SQL condition: the row of `person` (and of `date`, if given) is in scope. With `alone`, the row is about the person
    whatever their care, and dates in scope do not matter.
#}
{% macro in_scope(facts, person, date=none, alone=false) -%}
    {%- set whole_person = person ~ ' in (select person_id from ' ~ scope_relation() ~ ' where care_date is null)' -%}
    {%- if facts.everyone -%}
        true
    {%- elif alone -%}
        {{ person }} in (
            select person_id from {{ scope_relation() }} where care_date is null or care_date = {{ no_care_date() }}
        )
    {%- elif date is none -%}
        {{ person }} in (select person_id from {{ scope_relation() }})
    {%- elif not facts.dates -%}
        {{ whole_person }}
    {%- else -%}
        {%- set of_day = '(' ~ person ~ ', ' ~ date ~ ') in (select (person_id, care_date) from ' ~ scope_relation()
            ~ ' where care_date is not null)' -%}
        {%- if facts.persons -%}
        ({{ whole_person }} or {{ of_day }})
        {%- else -%}
        ({{ date }} between {{ dates_in_scope(facts) }} and {{ of_day }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# The first and the last date in scope, for `between`. #}
{% macro dates_in_scope(facts) -%}
    date '{{ facts.first }}' and date '{{ facts.last }}'
{%- endmacro %}


{#
    The rows of a kept model that are in scope. For fragments, which are ephemeral for its sake: a view cannot know the
    scope, and would compute all of history before rows out of scope are thrown away. A model that `keeps_rows_in_scope`
    is not searched for them again, and gives the columns it kept; `rows` tells what to search when it has not run.
#}
{% macro rows_in_scope(relation, date, rows=none) -%}
    {%- if execute and not is_unit_test() and has_rows_in_scope(relation.identifier) -%}
    {{ kept_rows_in_scope(relation.identifier) }}
    {%- else -%}
    (select * from {{ rows or relation }} where {{ scope_condition('person_id', date) }})
    {%- endif -%}
{%- endmacro %}


{% macro kept_rows_in_scope(model_name) %}
    {{ return('temp.main.rows_in_scope_of_' ~ model_name) }}
{% endmacro %}


{# Models whose rows in scope this run has kept; the engine's own list of tables would read the whole lake's. #}
{% macro create_kept_rows() %}
    create temp table if not exists temp.main.hub_kept_rows (model_name varchar not null)
{% endmacro %}


{# Whether this run has already recomputed the model. #}
{% macro has_rows_in_scope(model_name) %}
    {% set found = run_query("select count(*) from temp.main.hub_kept_rows where model_name = '" ~ model_name ~ "'") %}
    {{ return(found.rows[0][0] > 0) }}
{% endmacro %}


{# The same, for a model that must filter before it groups (`filters_itself`). #}
{% macro scope_condition(person, date=none) -%}
    {{ in_scope(scope_facts(), person, date) }}
{%- endmacro %}


{# A compilation error for a dataset whose fragments nobody would ever be in scope for: OMOP would lack its deliveries. #}
{% macro check_scopes(fragments, scopes, snapshots) %}
    {%- set scoped = snapshots.keys() | list -%}
    {%- for name in scopes -%}
        {%- do scoped.append(name.split('__')[0] | replace('int_', '', 1)) -%}
    {%- endfor -%}
    {%- for table, names in fragments.items() -%}
        {%- for name in names -%}
            {%- set dataset = name.split('__')[0] | replace('int_', '', 1) -%}
            {%- if dataset not in scoped -%}
                {{ exceptions.raise_compiler_error(
                    name ~ ' feeds ' ~ table ~ ', and nothing says which persons a delivery of ' ~ dataset ~ ' changes: '
                    ~ 'give it a model int_' ~ dataset ~ '__scope and name that under `vars: scopes`'
                ) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{% endmacro %}
