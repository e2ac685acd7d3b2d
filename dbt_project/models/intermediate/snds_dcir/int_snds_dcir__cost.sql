{{ config(materialized='ephemeral') }}
select
    event_id as cost_id,
    visit_occurrence_id as cost_event_id,
    'Visit' as cost_domain_id,
    32814 as cost_type_concept_id,
    44818568 as currency_concept_id,
    -- Rules 3 and 8: amounts of all lines of the prestation, complements included, and of no refined row.
    cast(charge as double) as total_charge,
    cast(null as double) as total_cost,
    cast(charge as double) as total_paid,
    cast(paid_basic + paid_supplement as double) as paid_by_payer,
    cast(charge - paid_basic - paid_supplement as double) as paid_by_patient,
    cast(null as double) as paid_patient_copay,
    cast(null as double) as paid_patient_coinsurance,
    cast(null as double) as paid_patient_deductible,
    -- What another payer gave first: the CDM counts it beside `paid_by_payer`, and none is delivered.
    cast(null as double) as paid_by_primary,
    cast(null as double) as paid_ingredient_cost,
    cast(null as double) as paid_dispensing_fee,
    cast(null as bigint) as payer_plan_period_id,
    cast(allowed as double) as amount_allowed,
    0 as revenue_code_concept_id,
    cast(nature as varchar) as revenue_code_source_value,
    cast(null as integer) as drg_concept_id,
    cast(null as varchar) as drg_source_value,
    person_id,
    care_start as cost_date
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
where kind in ('prs', 'cpl', 'owe') and quantity > 0 and visit_occurrence_id is not null
