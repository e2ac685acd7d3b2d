{{ config(materialized='ephemeral') }}
select
    event.event_id as procedure_occurrence_id,
    event.person_id,
    coalesce(act.target_concept_id, 0) as procedure_concept_id,
    event.care_start as procedure_date,
    cast(event.care_start as timestamp) as procedure_datetime,
    event.care_end as procedure_end_date,
    cast(event.care_end as timestamp) as procedure_end_datetime,
    32810 as procedure_type_concept_id,
    0 as modifier_concept_id,
    cast(ceil(
        case event.kind when 'cam' then event.quantity else least(event.quantity, event.unrefined_quantity) end
    ) as integer) as quantity,
    case when event.practice is not null then {{ hub_id(['provider|snds', 'event.practice']) }} end as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    coalesce(event.code, cast(event.nature as varchar)) as procedure_source_value,
    coalesce(act.source_concept_id, 0) as procedure_source_concept_id,
    event.modifier as modifier_source_value
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
left join {{ ref('int_hub__concept_map') }} as act
    on
        act.source_vocabulary_id = case event.kind when 'cam' then 'FR_CCAM' else 'FR_PRS_NAT_REF' end
        and act.source_code = coalesce(event.code, cast(event.nature as varchar))
where
    event.quantity > 0
    -- Acts of nurses, physiotherapists and others have no refined row: their nature is all there is.
    and (
        event.kind = 'cam'
        or (event.kind = 'prs' and event.unrefined_quantity > 0 and event.nature_domain = 'Procedure')
    )
