{{ config(materialized='ephemeral') }}
{%- set end_date = "case when event.kind in ('pha', 'ucd') then event.care_start + 29 else event.care_end end" %}
select
    event.event_id as drug_exposure_id,
    event.person_id,
    event.concept_id as drug_concept_id,
    event.care_start as drug_exposure_start_date,
    cast(event.care_start as timestamp) as drug_exposure_start_datetime,
    -- Rule 37: thirty days of supply by convention, the first day included. What is given as an act lasts as it does.
    {{ end_date }} as drug_exposure_end_date,
    cast({{ end_date }} as timestamp) as drug_exposure_end_datetime,
    cast(null as date) as verbatim_end_date,
    {{ type_of_event() }} as drug_type_concept_id,
    cast(null as varchar) as stop_reason,
    cast(null as integer) as refills,
    cast(event.counted as double) as quantity,
    case when event.kind in ('pha', 'ucd') then 30 end as days_supply,
    cast(null as varchar) as sig,
    cast(null as integer) as route_concept_id,
    cast(null as varchar) as lot_number,
    {{ provider_of_event() }} as provider_id,
    event.visit_occurrence_id,
    cast(null as bigint) as visit_detail_id,
    {{ code_of_event() }} as drug_source_value,
    event.source_concept_id as drug_source_concept_id,
    cast(null as varchar) as route_source_value,
    cast(null as varchar) as dose_unit_source_value
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
where event.domain_id = 'Drug'
