with told_apart as (
    {{ told_apart(
        ref('stg_hospital_ehr__payer_transitions'), ['patient_id', 'payer_id', 'start_at'], ['end_at', 'member_id']
    ) }}
),

payer as (
    select
        listed.payer_id,
        {{ hub_id(['payer|hospital_ehr', 'listed.payer_id']) }} as payer_key,
        known.name
    from (select distinct payer_id from {{ ref('stg_hospital_ehr__payer_transitions') }}) as listed
    left join {{ ref('stg_hospital_ehr__payers') }} as known using (payer_id)
),

period as (
    select
        told_apart.*,
        patient.person_id,
        payer.name,
        {{ joined_id('payer_plan_period', ['patient.person_id', 'payer.payer_key', moment_id('told_apart.start_at')]) }}
            as period_key
    from told_apart
    inner join payer using (payer_id)
    inner join {{ ref('int_hospital_ehr__patient') }} as patient using (patient_id)
)

select
    {{ copy_id('period_key') }} as payer_plan_period_id,
    person_id,
    cast(start_at as date) as payer_plan_period_start_date,
    cast(coalesce(end_at, start_at) as date) as payer_plan_period_end_date,
    0 as payer_concept_id,
    left(payer_id, 50) as payer_source_value,
    0 as payer_source_concept_id,
    cast(null as integer) as plan_concept_id,
    left(name, 50) as plan_source_value,
    cast(null as integer) as plan_source_concept_id,
    cast(null as integer) as sponsor_concept_id,
    cast(null as varchar) as sponsor_source_value,
    cast(null as integer) as sponsor_source_concept_id,
    cast(null as varchar) as family_source_value,
    cast(null as integer) as stop_reason_concept_id,
    cast(null as varchar) as stop_reason_source_value,
    cast(null as integer) as stop_reason_source_concept_id
from period
