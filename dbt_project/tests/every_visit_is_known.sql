{#- Events this run wrote, and events of earlier runs whose visit it removed. -#}
with removed as materialized (
    select visit_occurrence_id from {{ keys_removed('visit_occurrence', 'visit_occurrence_id') }}
),

unknown as (
    {%- for table, (key, start, end) in dated_tables().items() if table != 'visit_occurrence' %}
    select '{{ table }}' as cdm_table, count(*) as broken
    from {{ recomputed(table) }} anti join {{ ref('visit_occurrence') }} using (visit_occurrence_id)
    where visit_occurrence_id is not null
    union all
    select '{{ table }}', count(*) from {{ ref(table) }} semi join removed using (visit_occurrence_id)
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select cdm_table, max(broken) as broken from unknown where broken > 0 group by cdm_table
