with unknown as (
    {%- for table, (key, start, end) in dated_tables().items() %}
    select '{{ table }}' as cdm_table, count(*) as broken
    from {{ recomputed(table) }} anti join {{ ref('person') }} using (person_id)
    union all
    {%- endfor %}
    {%- for table in person_tables() %}
    select '{{ table }}', count(*) from {{ recomputed(table) }} anti join {{ ref('person') }} using (person_id)
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from unknown where broken > 0
