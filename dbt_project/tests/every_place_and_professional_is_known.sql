with unknown as (
    {%- for table, (key, start, end) in dated_tables().items() %}
    select '{{ table }}' as cdm_table, count(*) as broken
    from {{ recomputed(table) }} anti join {{ ref('provider') }} using (provider_id)
    where provider_id is not null
    union all
    {%- endfor %}
    select 'visit_occurrence', count(*)
    from {{ recomputed('visit_occurrence') }} anti join {{ ref('care_site') }} using (care_site_id)
    where care_site_id is not null
    union all
    select 'person', count(*)
    from {{ recomputed('person') }} anti join {{ ref('location') }} using (location_id)
    where location_id is not null
)

select * from unknown where broken > 0
