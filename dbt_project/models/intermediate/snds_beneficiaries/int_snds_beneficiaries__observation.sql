select
    event_id as observation_id,
    person_id,
    concept_id as observation_concept_id,
    start_date as observation_date,
    cast(start_date as timestamp) as observation_datetime,
    32810 as observation_type_concept_id,
    cast(null as double) as value_as_number,
    cast(null as varchar) as value_as_string,
    cast(null as integer) as value_as_concept_id,
    cast(null as integer) as qualifier_concept_id,
    cast(null as integer) as unit_concept_id,
    cast(null as bigint) as provider_id,
    cast(null as bigint) as visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    code as observation_source_value,
    source_concept_id as observation_source_concept_id,
    cast(null as varchar) as unit_source_value,
    cast(null as varchar) as qualifier_source_value,
    cast(null as varchar) as value_source_value,
    cast(null as bigint) as observation_event_id,
    cast(null as integer) as obs_event_field_concept_id
from {{ ref('int_snds_beneficiaries__ald_kept') }}
where domain_id = 'Observation'
