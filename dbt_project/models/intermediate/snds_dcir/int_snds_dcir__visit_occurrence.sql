{{ config(materialized='ephemeral') }}
select
    visit_occurrence_id,
    person_id,
    visit_concept_id,
    care_start as visit_start_date,
    cast(care_start as timestamp) as visit_start_datetime,
    care_end as visit_end_date,
    cast(care_end as timestamp) as visit_end_datetime,
    case visit_concept_id when 581458 then 32869 else 32810 end as visit_type_concept_id,
    case when practice is not null then {{ hub_id(['provider|snds', 'practice']) }} end as provider_id,
    case when establishment is not null then {{ hub_id(['care_site|finess', 'establishment']) }} end as care_site_id,
    cast(nature as varchar) as visit_source_value,
    0 as visit_source_concept_id,
    cast(null as integer) as admitted_from_concept_id,
    cast(null as varchar) as admitted_from_source_value,
    cast(null as integer) as discharged_to_concept_id,
    cast(null as varchar) as discharged_to_source_value,
    cast(null as bigint) as preceding_visit_occurrence_id
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
where is_first_of_visit
