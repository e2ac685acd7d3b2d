{{ config(
    materialized='cdm_table',
    scope_person='person_id',
    scope_date='care_date',
    filters_itself=true,
    contract={'enforced': true},
) }}
{{ after_scope() }}
{%- set dated = [
    ('visit_occurrence', 'visit_start_date', 'visit_end_date'),
    ('condition_occurrence', 'condition_start_date', none),
    ('drug_exposure', 'drug_exposure_start_date', none),
    ('procedure_occurrence', 'procedure_date', none),
    ('measurement', 'measurement_date', none),
    ('observation', 'observation_date', none),
] %}
with event as (
    {%- for table, start, end in dated %}
    select person_id, {{ start }} as care_date, {{ start }} as first_date, {{ end or start }} as last_date
    from {{ rows_in_scope(ref(table), start) }} as {{ table }}
    union all
    {%- endfor %}
    -- A device may begin on another day than that of its care, which is the one in scope.
    select person_id, care_date, device_exposure_start_date, device_exposure_start_date
    from {{ rows_in_scope(
        ref('device_exposure'), 'care_date', with_care_date(ref('device_exposure'), 'device_exposure_start_date')
    ) }} as device
)

select
    person_id,
    care_date,
    min(first_date) as first_date,
    max(last_date) as last_date
from event
group by all
