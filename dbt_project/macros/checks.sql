{# Tables of dated facts about persons: key, first and last date (none where the table has one date). #}
{% macro dated_tables() %}
    {{ return({
        'visit_occurrence': ('visit_occurrence_id', 'visit_start_date', 'visit_end_date'),
        'visit_detail': ('visit_detail_id', 'visit_detail_start_date', 'visit_detail_end_date'),
        'condition_occurrence': ('condition_occurrence_id', 'condition_start_date', 'condition_end_date'),
        'drug_exposure': ('drug_exposure_id', 'drug_exposure_start_date', 'drug_exposure_end_date'),
        'procedure_occurrence': ('procedure_occurrence_id', 'procedure_date', 'procedure_end_date'),
        'device_exposure': ('device_exposure_id', 'device_exposure_start_date', 'device_exposure_end_date'),
        'measurement': ('measurement_id', 'measurement_date', none),
        'observation': ('observation_id', 'observation_date', none),
    }) }}
{% endmacro %}


{# Tables with one or more rows about a person as a whole: key, first and last date. #}
{% macro person_tables() %}
    {{ return({
        'observation_period': ('observation_period_id', 'observation_period_start_date', 'observation_period_end_date'),
        'payer_plan_period': ('payer_plan_period_id', 'payer_plan_period_start_date', 'payer_plan_period_end_date'),
        'drug_era': ('drug_era_id', 'drug_era_start_date', 'drug_era_end_date'),
        'condition_era': ('condition_era_id', 'condition_era_start_date', 'condition_era_end_date'),
        'death': ('person_id', 'death_date', none),
    }) }}
{% endmacro %}


{# Tables of which a run writes the rows in scope alone: key, first and last date. #}
{% macro tables_by_scope() %}
    {{ return(dict(
        dated_tables(), person=('person_id', none, none), cost=('cost_id', none, none), **person_tables()
    )) }}
{% endmacro %}


{#
    What a check of rows reads of a table: the rows this run wrote, since the others were checked by the run that wrote
    them; all of them when everyone was in scope or nothing was written.
#}
{% macro recomputed(table) -%}
    {{ changes_of(table, 'insertions') or ref(table) }}
{%- endmacro %}


{#
    What a check of keys reads of a table: every row, of this run or of another, whose key this run wrote. One column of
    history is looked through for them.
#}
{% macro with_written_keys(table, key) -%}
    {%- set inserted = changes_of(table, 'insertions') -%}
    (select {{ key }} from {{ ref(table) }}{% if inserted %} where {{ key }} in (select {{ key }} from {{ inserted }}){% endif %})
{%- endmacro %}


{#
    Keys of a table that this run removed and did not write again: rows of earlier runs may still name them. None when
    everyone was in scope, since then every row is of this run.
#}
{% macro keys_removed(table, key) -%}
    {%- set deleted = changes_of(table, 'deletions') -%}
    {%- if deleted -%}
    (select {{ key }} from {{ deleted }} except select {{ key }} from {{ changes_of(table, 'insertions') }})
    {%- else -%}
    (select {{ key }} from {{ ref(table) }} where false)
    {%- endif -%}
{%- endmacro %}


{# What this run did to a table by DuckLake's own account, or none when every row is to be read. #}
{% macro changes_of(table, kind) %}
    {%- set relation, written = ref(table), written_snapshots() -%}
    {{ return(
        "ducklake_table_" ~ kind ~ "('" ~ relation.database ~ "', '" ~ relation.schema ~ "', '" ~ relation.identifier
        ~ "', " ~ written ~ ")" if written else none
    ) }}
{% endmacro %}


{# How many rows a table has, which the lake's catalogue knows. #}
{% macro rows_of(table) -%}
    (select count(*) from {{ ref(table) }})
{%- endmacro %}


{# First and last snapshot of the lake that hold this run's rows, or none when every row is to be read. #}
{% macro written_snapshots() %}
    {% if not execute or scope_facts().everyone %}{{ return(none) }}{% endif %}
    {% set row = run_query(
        "select start_of_run.id + 1, now.id from " ~ start_of_run() ~ " as start_of_run, "
        ~ target.database ~ ".current_snapshot() as now"
    ).rows[0] %}
    {{ return(row[0] ~ ', ' ~ row[1] if row[0] <= row[1] else none) }}
{% endmacro %}


{% macro start_of_run() %}
    {{ return('temp.main.hub_start_of_run') }}
{% endmacro %}


{# Remember which snapshot the run found. The checks that follow a build on its connection are of the same run. #}
{% macro note_start_of_run() %}
    create temp table if not exists {{ start_of_run() }} as select id from {{ target.database }}.current_snapshot()
{% endmacro %}
