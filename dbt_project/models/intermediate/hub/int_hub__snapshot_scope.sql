{{ config(materialized='ephemeral') }}
{#
    A new snapshot touches everyone who was in the one before or is in this one; one that only lost rows of persons who
    objected touches those persons.
#}
{%- set kept = kept_relations(['int_hub__membership']) -%}
select cast(null as bigint) as person_id, cast(null as date) as care_date where false
{%- for dataset, persons in var('snapshots').items() %}
-- depends_on: {{ ref(persons) }}
    {%- set pending = pending_deliveries(dataset, apart=true) %}
    {%- if kept and pending.touched %}
union all
select person_id, cast(null as date) from {{ ref(persons) }}
union
select person_id, cast(null as date) from {{ kept[0] }} where dataset = '{{ dataset }}'
    {%- elif kept and pending.thinned %}
union all
select person_id, cast(null as date)
from {{ kept[0] }}
anti join {{ ref(persons) }} using (person_id)
where dataset = '{{ dataset }}'
    {%- endif %}
{%- endfor %}
