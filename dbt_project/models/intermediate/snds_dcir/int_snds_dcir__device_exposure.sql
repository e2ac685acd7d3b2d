{{ config(materialized='ephemeral') }}
select
    event.event_id as device_exposure_id,
    event.person_id,
    event.concept_id as device_concept_id,
    -- Bought or first rented on another day than the care's, as the published mapping has it.
    coalesce(event.device_start, event.care_start) as device_exposure_start_date,
    cast(device_exposure_start_date as timestamp) as device_exposure_start_datetime,
    -- Rule 38: rentals end, purchases do not.
    case when event.device_end >= device_exposure_start_date then event.device_end end as device_exposure_end_date,
    cast(device_exposure_end_date as timestamp) as device_exposure_end_datetime,
    {{ type_of_event() }} as device_type_concept_id,
    cast(null as varchar) as unique_device_id,
    cast(null as varchar) as production_id,
    cast(ceil(event.counted) as integer) as quantity,
    {{ provider_of_event() }} as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    {{ code_of_event() }} as device_source_value,
    event.source_concept_id as device_source_concept_id,
    cast(null as integer) as unit_concept_id,
    cast(null as varchar) as unit_source_value,
    cast(null as integer) as unit_source_concept_id,
    event.care_start as care_date
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
where event.domain_id = 'Device'
