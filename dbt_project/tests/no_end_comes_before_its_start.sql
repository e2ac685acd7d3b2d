with reversed as (
    {%- for table, (key, start, end) in dated_tables().items() if end %}
    select '{{ table }}' as cdm_table, count(*) as broken, {{ rows_of(table) }} as known
    from {{ recomputed(table) }} where {{ end }} < {{ start }}
    union all
    {%- endfor %}
    {%- for table, (key, start, end) in person_tables().items() if end %}
    select '{{ table }}', count(*), {{ rows_of(table) }} from {{ recomputed(table) }} where {{ end }} < {{ start }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from reversed where broken > 0
