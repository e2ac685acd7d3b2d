with used as (
    {{ events_of('Device', {
        'devices': {},
        'supplies': {'stop_at': 'cast(event_date as timestamp)', 'quantity': 'quantity'},
    }) }}
)

select
    event_id as device_exposure_id,
    person_id,
    concept_id as device_concept_id,
    cast(start_at as date) as device_exposure_start_date,
    start_at as device_exposure_start_datetime,
    cast(stop_at as date) as device_exposure_end_date,
    stop_at as device_exposure_end_datetime,
    32827 as device_type_concept_id,
    cast(null as varchar) as unique_device_id,
    cast(null as varchar) as production_id,
    -- What does not say how many is one.
    coalesce(quantity, 1) as quantity,
    provider_id,
    visit_occurrence_id,
    visit_detail_id,
    code as device_source_value,
    source_concept_id as device_source_concept_id,
    cast(null as integer) as unit_concept_id,
    cast(null as varchar) as unit_source_value,
    cast(null as integer) as unit_source_concept_id,
    cast(start_at as date) as care_date
from used
