{{ config(materialized='ephemeral') }}
{# A new snapshot touches everyone who was in the one before or is in this one. #}
{%- set kept = kept_relations(['int_hub__membership']) -%}
select cast(null as bigint) as person_id, cast(null as date) as care_month where false
{%- for dataset, persons in var('snapshots').items() %}
-- depends_on: {{ ref(persons) }}
    {%- if kept and pending_deliveries(dataset).any %}
union all
select person_id, cast(null as date) from {{ ref(persons) }}
union
select person_id, cast(null as date) from {{ kept[0] }} where dataset = '{{ dataset }}'
    {%- endif %}
{%- endfor %}
