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


{#
    SQL condition of a check: what this run recomputed, since the rest was checked by the run that made it; everything
    when nothing is in scope.
#}
{% macro recomputed(date=none) -%}
    {%- set facts = scope_facts() -%}
    {%- if facts.persons or facts.months or facts.attributes -%}{{ in_scope(facts, 'person_id', date) }}
    {%- else -%}true{%- endif -%}
{%- endmacro %}
