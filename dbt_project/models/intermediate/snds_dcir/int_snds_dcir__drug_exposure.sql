{{ config(materialized='ephemeral') }}
select
    event.event_id as drug_exposure_id,
    event.person_id,
    coalesce(nullif(drug.target_concept_id, 0), former.target_concept_id, 0) as drug_concept_id,
    event.care_start as drug_exposure_start_date,
    cast(event.care_start as timestamp) as drug_exposure_start_datetime,
    -- Rule 37: thirty days of supply by convention, the first day included.
    event.care_start + 29 as drug_exposure_end_date,
    cast(event.care_start + 29 as timestamp) as drug_exposure_end_datetime,
    cast(null as date) as verbatim_end_date,
    32869 as drug_type_concept_id,
    cast(null as varchar) as stop_reason,
    cast(null as integer) as refills,
    cast(event.quantity as double) as quantity,
    30 as days_supply,
    cast(null as varchar) as sig,
    0 as route_concept_id,
    cast(null as varchar) as lot_number,
    -- A drug is its prescriber's, the visit to the pharmacy is the pharmacist's.
    case
        when event.prescriber_practice is not null then {{ hub_id(['provider|snds', 'event.prescriber_practice']) }}
    end as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    event.code as drug_source_value,
    coalesce(nullif(drug.source_concept_id, 0), former.source_concept_id, 0) as drug_source_concept_id,
    cast(null as varchar) as route_source_value,
    cast(null as varchar) as dose_unit_source_value
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
left join {{ ref('int_hub__concept_map') }} as drug
    on
        drug.source_vocabulary_id = case event.kind when 'ucd' then 'FR_UCD' else 'FR_CIP13' end
        and drug.source_code = case event.kind when 'ucd' then {{ seven_digits('event.code') }} else event.code end
-- The vocabularies know the seven digits a CIP13 was made from.
left join {{ ref('int_hub__concept_map') }} as former
    on
        former.source_vocabulary_id = 'FR_CIP7'
        and former.source_code = case when event.kind = 'pha' then {{ seven_digits('event.code') }} end
where event.kind in ('pha', 'ucd') and event.quantity > 0
