select
    event.event_id as drug_exposure_id,
    event.person_id,
    coalesce(drug.target_concept_id, 0) as drug_concept_id,
    event.care_start as drug_exposure_start_date,
    cast(null as timestamp) as drug_exposure_start_datetime,
    -- Rule 37: thirty days of supply by convention, the first day included.
    event.care_start + 29 as drug_exposure_end_date,
    cast(null as timestamp) as drug_exposure_end_datetime,
    cast(null as date) as verbatim_end_date,
    case event.kind when 'pha' then 32869 else 32810 end as drug_type_concept_id,
    cast(null as varchar) as stop_reason,
    cast(null as integer) as refills,
    -- Rule 37: boxes times units per box, unless the line counts units already (rules 5 and 36).
    cast(
        event.quantity * case when event.is_in_units then 1 else {{ units_per_box('pack.contents') }} end as double
    ) as quantity,
    30 as days_supply,
    cast(null as varchar) as sig,
    0 as route_concept_id,
    cast(null as varchar) as lot_number,
    case when event.practice is not null then {{ hub_id(['provider|snds', 'event.practice']) }} end as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    event.code as drug_source_value,
    coalesce(drug.source_concept_id, 0) as drug_source_concept_id,
    cast(null as varchar) as route_source_value,
    cast(null as varchar) as dose_unit_source_value
from {{ ref('int_snds_dcir__event') }} as event
left join {{ ref('int_hub__concept_map') }} as drug
    on
        drug.source_code = event.code
        and drug.source_vocabulary_id = case
            when event.kind = 'ucd' then 'FR_UCD'
            when length(event.code) = 7 then 'FR_CIP7'
            else 'FR_CIP13'
        end
left join {{ ref('drug_pack') }} as pack on pack.cip13 = event.code
where event.kind in ('pha', 'ucd') and event.quantity > 0
