{%- set coded = {
    'condition_occurrence': 'condition',
    'drug_exposure': 'drug',
    'procedure_occurrence': 'procedure',
    'device_exposure': 'device',
    'measurement': 'measurement',
    'observation': 'observation',
    'visit_occurrence': 'visit',
} %}
{%- for table, entity in coded.items() %}
select
    '{{ table }}' as cdm_table,
    {{ entity }}_type_concept_id as type_concept_id,
    count(*) as coded_rows,
    count(*) filter ({{ entity }}_concept_id <> 0) as mapped_rows,
    count(distinct {{ entity }}_source_value) as codes,
    count(distinct {{ entity }}_source_value) filter ({{ entity }}_concept_id <> 0) as mapped_codes
from {{ ref(table) }}
group by {{ entity }}_type_concept_id
{{ "union all" if not loop.last }}
{%- endfor %}
