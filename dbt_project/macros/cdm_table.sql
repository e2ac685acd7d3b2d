{#
    A table kept equal to its query by scope:

    * missing, or everyone in scope: created anew with the contract's types and NOT NULL, then filled;
    * otherwise: rows in scope are deleted, the query's rows in scope are inserted;
    * nothing in scope: nothing is written.

    Configuration:

    * `scope_person` names the person column; `scope_date` the date of care (none: the whole person);
    * `person_alone=true`: the rows are about persons whatever their care: dates in scope leave them as they are;
    * `scope='all'`: the table is not about persons; it is rewritten when its content differs;
    * `changes_with` names the datasets whose deliveries alone can change such a table: others are not even compared;
    * `scope_key`: the table's columns do not tell the person or the date of care. The query gives `person_id` and the
      `scope_date` beside them, and a companion table keeps both by this key, so that the rows in scope can be found again;
    * `dataset` names the one the table is made from: nobody of it in scope, nothing is written;
    * `filters_itself=true`: the query holds the scope's condition already, before it groups;
    * `eras_of` names what the table has eras of: those that the dates in scope reach are rewritten (`eras.sql`);
    * `keeps_rows_in_scope`: which columns of what the query gives are kept until the end of the run, for `rows_in_scope`,
      unless most persons are in scope; `true` for all of them, whoever is.
#}
{% materialization cdm_table, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set facts = scope_facts() -%}
    {%- set whole = existing is none or facts.everyone -%}

    {{ run_hooks(pre_hooks) }}
    {% do crash_point('before') %}
    {% if whole or (config.get('scope') == 'all' and may_differ() and cdm_table_differs(target_relation)) %}
        {% do get_assert_columns_equivalent(cdm_table_query()) %}
        {% call statement('create') %}{{ cdm_table_ddl(target_relation) }}{% endcall %}
        {% call statement('main') %}{{ cdm_table_insert(target_relation) if may_have_rows() }}{% endcall %}
        {% do scope_companion_fill(target_relation, '(' ~ compiled_code ~ '\n)', whole=true) %}
    {% elif config.get('scope') == 'all' or not is_concerned(facts) %}
        {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{% endcall %}
    {% else %}
        {%- set condition = in_scope(
            facts, config.get('scope_person', 'person_id'), config.get('scope_date'), config.get('person_alone', false)
        ) -%}
        {% call statement('delete') %}{{ cdm_table_delete(target_relation, facts, condition) }}{% endcall %}
        {%- set keeps = keeps_rows(facts) -%}
        {%- set rows = '(select * from (' ~ compiled_code ~ '\n) as query where '
            ~ ('true' if config.get('filters_itself') else condition) ~ ')' -%}
        {% if keeps %}
        {% call statement('compute') %}
            create or replace temp table {{ kept_rows_in_scope(model.name) }} as select * from {{ rows }} as fresh
        {% endcall %}
        {%- set rows = kept_rows_in_scope(model.name) -%}
        {% endif %}
        {% call statement('main') %}
            insert into {{ target_relation }} ({{ cdm_table_columns() }})
            select {{ cdm_table_columns() }} from {{ rows }} as fresh
        {% endcall %}
        {% do scope_companion_fill(target_relation, rows) %}
        {% if keeps %}{% call statement('keep') %}{{ keep_rows_in_scope(rows) }}{% endcall %}{% endif %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {% do crash_point('inside') %}
    {% do adapter.commit() %}
    {% do crash_point('after') %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% macro cdm_table_columns() %}
    {{ return(model.columns.values() | map(attribute='name') | map('tojson') | join(', ')) }}
{% endmacro %}


{% macro cdm_table_query() -%}
    select {{ cdm_table_columns() }} from (
        {{ compiled_code }}
    ) as query
{%- endmacro %}


{% macro cdm_table_ddl(relation) %}
    create or replace table {{ relation }} (
        {% for column in model.columns.values() -%}
        {{ adapter.quote(column.name) }} {{ column.data_type }}
            {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list %} not null{% endif %}
            {{- "," if not loop.last }}
        {% endfor %}
    );
{% endmacro %}


{% macro cdm_table_insert(relation) %}
    insert into {{ relation }} ({{ cdm_table_columns() }})
    {{ cdm_table_query() }}
{% endmacro %}


{% macro cdm_table_delete(relation, facts, condition) %}
    {%- set key = config.get('scope_key') -%}
    {%- set entity = config.get('eras_of') -%}
    {% if entity %}
    delete from {{ relation }} using {{ era_reach(facts, entity) }}
    where {{ in_era_reach('person_id', entity ~ '_concept_id', entity ~ '_era_start_date') }};
    {% elif key %}
    {%- set companion = scope_companion(relation) -%}
    {%- set kept = in_scope(facts, 'person_id', 'care_date') -%}
    delete from {{ relation }} where {{ key }} in (select {{ key }} from {{ companion }} where {{ kept }});
    delete from {{ companion }} where {{ kept }};
    {% else %}
    delete from {{ relation }} where {{ condition }};
    {% endif %}
{% endmacro %}


{# Whether the scope holds anything for the table, and anyone of its dataset where it is made of one (`dataset`). #}
{% macro is_concerned(facts) %}
    {% set dataset = config.get('dataset') %}
    {% set found = facts.persons or facts.attributes or (facts.dates and not config.get('person_alone')) %}
    {{ return(found and (dataset is none or is_dataset_in_scope(dataset))) }}
{% endmacro %}


{% macro may_differ() %}
    {% set datasets = config.get('changes_with') %}
    {% for dataset in datasets or [] if pending_deliveries(dataset).any %}{{ return(true) }}{% endfor %}
    {{ return(not datasets) }}
{% endmacro %}


{# Whether a dataset that the table is made from was delivered; true where it does not say from which. #}
{% macro may_have_rows() %}
    {% set dataset = config.get('dataset') %}
    {% set datasets = [dataset] if dataset else config.get('changes_with', []) %}
    {% for each in datasets if is_delivered(each) %}{{ return(true) }}{% endfor %}
    {{ return(not datasets) }}
{% endmacro %}


{% macro cdm_table_differs(relation) %}
    {% set found = run_query(
        "with fresh as (" ~ cdm_table_query() ~ "),"
        ~ " kept as (select " ~ cdm_table_columns() ~ " from " ~ relation ~ ")"
        ~ " select exists (from fresh except all from kept) or exists (from kept except all from fresh)"
    ) %}
    {{ return(found.rows[0][0]) }}
{% endmacro %}


{% macro scope_companion(relation) %}
    {{ return(target.database ~ '.staging.int_hub__scope_of_' ~ relation.identifier) }}
{% endmacro %}


{# The rows of a table that has a companion, each with its date of care: in a unit test, the date given. #}
{% macro with_care_date(relation, date) -%}
    {%- if is_unit_test() -%}
    (select *, {{ date }} as care_date from {{ relation }})
    {%- else -%}
    {%- set key = relation.identifier ~ '_id' -%}
    (
        select row.*, companion.care_date
        from {{ relation }} as row
        inner join {{ scope_companion(relation) }} as companion using ({{ key }}, person_id)
    )
    {%- endif -%}
{%- endmacro %}


{# `rows` has the key, the person and the date of care of each row written. #}
{% macro scope_companion_fill(relation, rows, whole=false) %}
    {%- set key = config.get('scope_key') -%}
    {% if key %}
        {% call statement('companion') %}
            {% if whole %}
            create or replace table {{ scope_companion(relation) }}
                ({{ key }} bigint not null, person_id bigint not null, care_date date not null);
            {% endif %}
            insert into {{ scope_companion(relation) }}
            select {{ key }}, person_id, {{ config.require('scope_date') }}
            from {{ rows }} as query
        {% endcall %}
    {% endif %}
{% endmacro %}


{#
    Whether what the query gives for the scope is put aside before it is inserted: always where all of it is kept; where
    some columns are, or a companion wants them, unless most persons are in scope, when reading the table again costs less.
#}
{% macro keeps_rows(facts) %}
    {% set columns = config.get('keeps_rows_in_scope') %}
    {% if columns is boolean or not (columns or config.get('scope_key')) %}{{ return(columns) }}{% endif %}
    {% if not facts.persons %}{{ return(true) }}{% endif %}
    {% set known = run_query('select count(*) from ' ~ target.database ~ '.omop.person') %}
    {{ return(facts.persons * 2 < known.rows[0][0]) }}
{% endmacro %}


{# Of the rows put aside, keep the columns that the model's configuration names until the end of the run. #}
{% macro keep_rows_in_scope(rows) %}
    {%- set columns = config.get('keeps_rows_in_scope') -%}
    {% if not columns %}
    drop table {{ rows }}
    {% else %}
    {% if columns is not boolean %}
    create or replace temp table {{ rows }} as select {{ columns | join(', ') }} from {{ rows }};
    {% endif %}
    insert into temp.main.hub_kept_rows values ('{{ model.name }}')
    {% endif %}
{% endmacro %}
