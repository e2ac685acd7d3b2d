with reversed as (
    {%- for table, (key, start, end) in dated_tables().items() if end %}
    select '{{ table }}' as cdm_table, count(*) as broken
    from {{ ref(table) }} where {{ end }} < {{ start }} and {{ recomputed(start) }}
    union all
    {%- endfor %}
    {%- for table, (key, start, end) in person_tables().items() if end %}
    select '{{ table }}', count(*) from {{ ref(table) }} where {{ end }} < {{ start }} and {{ recomputed() }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from reversed where broken > 0
