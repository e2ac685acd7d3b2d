{# Counts by table; never the keys themselves. #}
{%- set whole = {'location': 'location_id', 'care_site': 'care_site_id', 'provider': 'provider_id', 'concept': 'concept_id',
    'metadata': 'metadata_id'} %}
with doubled as (
    {%- for table, (key, start, end) in tables_by_scope().items() %}
    select '{{ table }}' as cdm_table, count(*) - count(distinct {{ key }}) as broken
    from {{ with_written_keys(table, key) }}
    union all
    {%- endfor %}
    {%- for table, key in whole.items() %}
    select '{{ table }}', count(*) - count(distinct {{ key }}) from {{ ref(table) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from doubled where broken > 0
