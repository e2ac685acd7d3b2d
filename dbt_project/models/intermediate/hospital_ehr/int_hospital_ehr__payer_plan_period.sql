with period as (
    select
        *,
        {{ hub_id(['payer_plan_period|hospital_ehr', 'patient_id', 'member_id', 'payer_id', 'start_at', 'end_at']) }}
            as period_key
    from {{ ref('stg_hospital_ehr__payer_transitions') }}
),

told_apart as (
    select *, row_number() over (partition by period_key) as copy_number
    from period
)

select
    case
        when told_apart.copy_number = 1 then told_apart.period_key
        else {{ hub_id(['copy|hospital_ehr', 'told_apart.period_key', 'told_apart.copy_number']) }}
    end as payer_plan_period_id,
    patient.person_id,
    cast(told_apart.start_at as date) as payer_plan_period_start_date,
    cast(coalesce(told_apart.end_at, told_apart.start_at) as date) as payer_plan_period_end_date,
    0 as payer_concept_id,
    left(payer.name, 50) as payer_source_value,
    0 as payer_source_concept_id,
    cast(null as integer) as plan_concept_id,
    cast(null as varchar) as plan_source_value,
    cast(null as integer) as plan_source_concept_id,
    cast(null as integer) as sponsor_concept_id,
    cast(null as varchar) as sponsor_source_value,
    cast(null as integer) as sponsor_source_concept_id,
    cast(null as varchar) as family_source_value,
    cast(null as integer) as stop_reason_concept_id,
    cast(null as varchar) as stop_reason_source_value,
    cast(null as integer) as stop_reason_source_concept_id
from told_apart
inner join {{ ref('int_hospital_ehr__patient') }} as patient using (patient_id)
left join {{ ref('stg_hospital_ehr__payers') }} as payer using (payer_id)
