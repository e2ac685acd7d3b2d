with unknown as (
    {%- for table, (key, start, end) in dated_tables().items() %}
    select '{{ table }}' as cdm_table, count(*) as broken
    from {{ ref(table) }} anti join {{ ref('provider') }} using (provider_id)
    where provider_id is not null and {{ recomputed(start) }}
    union all
    {%- endfor %}
    select 'visit_occurrence', count(*)
    from {{ ref('visit_occurrence') }} anti join {{ ref('care_site') }} using (care_site_id)
    where care_site_id is not null and {{ recomputed('visit_start_date') }}
    union all
    select 'person', count(*)
    from {{ ref('person') }} anti join {{ ref('location') }} using (location_id)
    where location_id is not null and {{ recomputed() }}
)

select * from unknown where broken > 0
