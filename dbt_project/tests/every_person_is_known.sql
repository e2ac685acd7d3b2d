{#- Rows this run wrote, and rows of earlier runs whose person it removed. -#}
{%- set tables = dict(dated_tables(), **person_tables()) -%}
with removed as materialized (
    select person_id from {{ keys_removed('person', 'person_id') }}
),

unknown as (
    {%- for table in tables %}
    select '{{ table }}' as cdm_table, count(*) as broken
    from {{ recomputed(table) }} anti join {{ ref('person') }} using (person_id)
    union all
    select '{{ table }}', count(*) from {{ ref(table) }} semi join removed using (person_id)
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select cdm_table, max(broken) as broken from unknown where broken > 0 group by cdm_table
