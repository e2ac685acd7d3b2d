with measured as (
    {{ events_of('Measurement', {
        'observations': {'value_as_number': number_in('value_text'), 'unit': unit_told(), 'value_text': 'value_text'},
        'procedures': {},
    }) }}
)

select
    measured.event_id as measurement_id,
    measured.person_id,
    measured.concept_id as measurement_concept_id,
    cast(measured.start_at as date) as measurement_date,
    measured.start_at as measurement_datetime,
    cast(cast(measured.start_at as time) as varchar) as measurement_time,
    32827 as measurement_type_concept_id,
    cast(null as integer) as operator_concept_id,
    measured.value_as_number,
    cast(null as integer) as value_as_concept_id,
    case when measured.unit is not null then coalesce(unit.concept_id, 0) end as unit_concept_id,
    cast(null as double) as range_low,
    cast(null as double) as range_high,
    measured.provider_id,
    measured.visit_occurrence_id,
    measured.visit_detail_id,
    measured.code as measurement_source_value,
    measured.source_concept_id as measurement_source_concept_id,
    left(measured.unit, 50) as unit_source_value,
    cast(null as integer) as unit_source_concept_id,
    left(measured.value_text, 50) as value_source_value,
    cast(null as bigint) as measurement_event_id,
    cast(null as integer) as meas_event_field_concept_id
from measured
left join {{ ref('int_hospital_ehr__code') }} as unit
    on unit.source_vocabulary_id = 'UCUM' and unit.source_code = measured.unit
