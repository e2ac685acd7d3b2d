{{ config(materialized='ephemeral') }}
select
    event.event_id as observation_id,
    event.person_id,
    coalesce(act.target_concept_id, 0) as observation_concept_id,
    event.care_start as observation_date,
    cast(event.care_start as timestamp) as observation_datetime,
    32810 as observation_type_concept_id,
    cast(least(event.quantity, event.unrefined_quantity) as double) as value_as_number,
    cast(null as varchar) as value_as_string,
    0 as value_as_concept_id,
    0 as qualifier_concept_id,
    0 as unit_concept_id,
    case when event.practice is not null then {{ hub_id(['provider|snds', 'event.practice']) }} end as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    cast(event.nature as varchar) as observation_source_value,
    coalesce(act.source_concept_id, 0) as observation_source_concept_id,
    cast(null as varchar) as unit_source_value,
    cast(null as varchar) as qualifier_source_value,
    cast(null as varchar) as value_source_value,
    cast(null as bigint) as observation_event_id,
    0 as obs_event_field_concept_id
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
left join {{ ref('int_hub__concept_map') }} as act
    on act.source_vocabulary_id = 'FR_PRS_NAT_REF' and act.source_code = cast(event.nature as varchar)
where event.kind = 'prs' and event.unrefined_quantity > 0 and event.nature_domain = 'Observation' and event.quantity > 0
