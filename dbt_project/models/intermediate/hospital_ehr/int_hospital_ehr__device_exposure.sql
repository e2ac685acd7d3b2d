with used as (
    select
        event_id,
        person_id,
        concept_id,
        cast(start_at as date) as start_date,
        start_at,
        cast(stop_at as date) as end_date,
        stop_at as end_at,
        cast(null as integer) as quantity,
        provider_id,
        visit_occurrence_id,
        visit_detail_id,
        code,
        source_concept_id
    from {{ ref('int_hospital_ehr__coded_devices') }}
    union all
    select
        event_id,
        person_id,
        concept_id,
        event_date,
        cast(event_date as timestamp),
        event_date,
        cast(event_date as timestamp),
        quantity,
        provider_id,
        visit_occurrence_id,
        visit_detail_id,
        code,
        source_concept_id
    from {{ ref('int_hospital_ehr__coded_supplies') }}
)

select
    event_id as device_exposure_id,
    person_id,
    concept_id as device_concept_id,
    start_date as device_exposure_start_date,
    start_at as device_exposure_start_datetime,
    end_date as device_exposure_end_date,
    end_at as device_exposure_end_datetime,
    32827 as device_type_concept_id,
    cast(null as varchar) as unique_device_id,
    cast(null as varchar) as production_id,
    quantity,
    provider_id,
    visit_occurrence_id,
    visit_detail_id,
    code as device_source_value,
    source_concept_id as device_source_concept_id,
    cast(null as integer) as unit_concept_id,
    cast(null as varchar) as unit_source_value,
    cast(null as integer) as unit_source_concept_id,
    start_date as care_date
from used
