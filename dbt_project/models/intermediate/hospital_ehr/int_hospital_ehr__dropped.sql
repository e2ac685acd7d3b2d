{%- set reasons = {
    'careplans': 'no CDM table for a care plan',
    'imaging_studies': 'one row per image; the act is in procedures',
    'claims': 'the amounts are those of the encounters, drugs and procedures billed',
    'claims_transactions': 'the amounts are those of the encounters, drugs and procedures billed',
} %}
with counted as (
    {%- for file in reasons %}
    select '{{ file }}' as rule, count(*) as dropped_rows from {{ ref('stg_hospital_ehr__' ~ file) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select
    'hospital_ehr' as dataset,
    rule,
    case rule
        {%- for file, reason in reasons.items() %}
        when '{{ file }}' then '{{ reason }}'
        {%- endfor %}
    end as reason,
    cast(dropped_rows as bigint) as dropped_rows
from counted
where dropped_rows > 0
