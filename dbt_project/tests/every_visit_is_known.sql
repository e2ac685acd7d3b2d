with unknown as (
    {%- for table, (key, start, end) in dated_tables().items() if table != 'visit_occurrence' %}
    select '{{ table }}' as cdm_table, count(*) as broken
    from {{ recomputed(table) }} anti join {{ ref('visit_occurrence') }} using (visit_occurrence_id)
    where visit_occurrence_id is not null
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from unknown where broken > 0
