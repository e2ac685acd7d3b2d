with outside as (
    {%- for table, (key, start, end) in dated_tables().items() if table != 'visit_detail' %}
    select '{{ table }}' as cdm_table, count(*) as broken
    from {{ recomputed(table) }} as event
    left join {{ ref('observation_period') }} as period using (person_id)
    where
        period.person_id is null
        or event.{{ start }} not between period.observation_period_start_date and period.observation_period_end_date
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from outside where broken > 0
