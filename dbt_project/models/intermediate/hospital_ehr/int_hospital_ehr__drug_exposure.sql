with prescribed as (
    -- A prescription without an end counts as its first day; `verbatim_end_date` keeps what was delivered.
    select
        event_id,
        person_id,
        concept_id,
        start_at,
        coalesce(stop_at, start_at) as end_at,
        cast(stop_at as date) as verbatim_end_date,
        32838 as type_concept_id,
        cast(date_diff('day', start_at, stop_at) as integer) as days_supply,
        provider_id,
        visit_occurrence_id,
        visit_detail_id,
        code,
        source_concept_id
    from {{ ref('int_hospital_ehr__coded_medications') }}
),

injected as (
    select
        event_id,
        person_id,
        concept_id,
        event_at as start_at,
        event_at as end_at,
        cast(event_at as date) as verbatim_end_date,
        32827 as type_concept_id,
        cast(null as integer) as days_supply,
        provider_id,
        visit_occurrence_id,
        visit_detail_id,
        code,
        source_concept_id
    from {{ ref('int_hospital_ehr__coded_immunizations') }}
),

exposure as (
    select * from prescribed
    union all
    select * from injected
)

select
    event_id as drug_exposure_id,
    person_id,
    concept_id as drug_concept_id,
    cast(start_at as date) as drug_exposure_start_date,
    start_at as drug_exposure_start_datetime,
    cast(end_at as date) as drug_exposure_end_date,
    end_at as drug_exposure_end_datetime,
    verbatim_end_date,
    type_concept_id as drug_type_concept_id,
    cast(null as varchar) as stop_reason,
    cast(null as integer) as refills,
    cast(null as double) as quantity,
    days_supply,
    cast(null as varchar) as sig,
    cast(null as integer) as route_concept_id,
    cast(null as varchar) as lot_number,
    provider_id,
    visit_occurrence_id,
    visit_detail_id,
    code as drug_source_value,
    source_concept_id as drug_source_concept_id,
    cast(null as varchar) as route_source_value,
    cast(null as varchar) as dose_unit_source_value
from exposure
