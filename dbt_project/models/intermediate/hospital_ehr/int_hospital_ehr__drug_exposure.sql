with exposure as (
    {{ events_of('Drug', {
        'medications': {
            'type_concept_id': '32838',
            'days_supply': "cast(date_diff('day', start_at, stop_at) as integer)",
        },
        'immunizations': {'stop_at': 'event_at'},
    }) }}
)

select
    event_id as drug_exposure_id,
    person_id,
    concept_id as drug_concept_id,
    cast(start_at as date) as drug_exposure_start_date,
    start_at as drug_exposure_start_datetime,
    -- A prescription without an end counts as its first day; `verbatim_end_date` keeps what was delivered.
    cast(coalesce(stop_at, start_at) as date) as drug_exposure_end_date,
    coalesce(stop_at, start_at) as drug_exposure_end_datetime,
    cast(stop_at as date) as verbatim_end_date,
    coalesce(type_concept_id, 32827) as drug_type_concept_id,
    cast(null as varchar) as stop_reason,
    cast(null as integer) as refills,
    cast(null as double) as quantity,
    days_supply,
    cast(null as varchar) as sig,
    cast(null as integer) as route_concept_id,
    cast(null as varchar) as lot_number,
    provider_id,
    visit_occurrence_id,
    visit_detail_id,
    code as drug_source_value,
    source_concept_id as drug_source_concept_id,
    cast(null as varchar) as route_source_value,
    cast(null as varchar) as dose_unit_source_value
from exposure
