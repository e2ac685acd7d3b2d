with reversed as (
    {%- for table, (key, start, end) in dated_tables().items() if end %}
    select '{{ table }}' as cdm_table, count(*) as broken
    from {{ recomputed(table) }} where {{ end }} < {{ start }}
    union all
    {%- endfor %}
    {%- for table, (key, start, end) in person_tables().items() if end %}
    select '{{ table }}', count(*) from {{ recomputed(table) }} where {{ end }} < {{ start }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from reversed where broken > 0
