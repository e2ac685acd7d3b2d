{{ config(materialized='ephemeral') }}
select
    event.event_id as device_exposure_id,
    event.person_id,
    coalesce(device.target_concept_id, 0) as device_concept_id,
    -- Bought or first rented on another day than the care's, as the published mapping has it.
    coalesce(event.device_start, event.care_start) as device_exposure_start_date,
    cast(device_exposure_start_date as timestamp) as device_exposure_start_datetime,
    -- Rule 38: rentals end, purchases do not.
    case when event.device_end >= device_exposure_start_date then event.device_end end as device_exposure_end_date,
    cast(device_exposure_end_date as timestamp) as device_exposure_end_datetime,
    32810 as device_type_concept_id,
    cast(null as varchar) as unique_device_id,
    cast(null as varchar) as production_id,
    cast(ceil(event.quantity) as integer) as quantity,
    case when event.practice is not null then {{ hub_id(['provider|snds', 'event.practice']) }} end as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    event.code as device_source_value,
    coalesce(device.source_concept_id, 0) as device_source_concept_id,
    0 as unit_concept_id,
    cast(null as varchar) as unit_source_value,
    0 as unit_source_concept_id,
    event.care_start as care_date
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
left join {{ ref('int_hub__concept_map') }} as device
    on device.source_vocabulary_id = 'FR_LPP' and device.source_code = event.code
where event.kind = 'tip' and event.quantity > 0
