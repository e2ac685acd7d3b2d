{{ config(materialized='ephemeral') }}
select
    event.event_id as measurement_id,
    event.person_id,
    event.concept_id as measurement_concept_id,
    event.care_start as measurement_date,
    cast(event.care_start as timestamp) as measurement_datetime,
    cast(null as varchar) as measurement_time,
    {{ type_of_event() }} as measurement_type_concept_id,
    cast(null as integer) as operator_concept_id,
    -- Rule 39: the SNDS knows that a test was done, not its result.
    cast(null as double) as value_as_number,
    cast(null as integer) as value_as_concept_id,
    cast(null as integer) as unit_concept_id,
    cast(null as double) as range_low,
    cast(null as double) as range_high,
    {{ provider_of_event() }} as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    {{ code_of_event() }} as measurement_source_value,
    event.source_concept_id as measurement_source_concept_id,
    cast(null as varchar) as unit_source_value,
    cast(null as integer) as unit_source_concept_id,
    cast(null as varchar) as value_source_value,
    cast(null as bigint) as measurement_event_id,
    cast(null as integer) as meas_event_field_concept_id
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
where event.domain_id = 'Measurement'
