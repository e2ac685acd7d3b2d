{# Counts by table; never the keys themselves. #}
{%- set dated = dated_tables() %}
{%- set of_persons = dict(person_tables(), person=('person_id', none, none)) %}
{%- set others = {'location': 'location_id', 'care_site': 'care_site_id', 'provider': 'provider_id', 'cost': 'cost_id',
    'concept': 'concept_id', 'metadata': 'metadata_id'} %}
with doubled as (
    {%- for table, (key, start, end) in dated.items() %}
    select '{{ table }}' as cdm_table, count(*) - count(distinct {{ key }}) as broken
    from {{ recomputed(table) }}
    union all
    {%- endfor %}
    {%- for table, (key, start, end) in of_persons.items() %}
    select '{{ table }}', count(*) - count(distinct {{ key }}) from {{ recomputed(table) }}
    union all
    {%- endfor %}
    {%- for table, key in others.items() %}
    select '{{ table }}', count(*) - count(distinct {{ key }}) from {{ ref(table) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from doubled where broken > 0
