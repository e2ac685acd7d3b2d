{{ config(materialized='ephemeral') }}
with year_of_cover as (
    select
        person_id,
        payer,
        plan,
        year(care_date) as care_year,
        min(care_date) as first_date,
        max(care_date) as last_date
    from {{ ref('int_snds_dcir__affiliation') }}
    where {{ scope_condition('person_id') }}
    group by all
),

-- Contiguous years of the same payer and plan are one period.
numbered as (
    select *, care_year - row_number() over (partition by person_id, payer, plan order by care_year) as island
    from year_of_cover
),

period as (
    select person_id, payer, plan, min(first_date) as start_date, max(last_date) as end_date
    from numbered
    group by person_id, payer, plan, island
)

select
    {{ hub_id(['payer|snds_dcir', 'person_id', 'payer', 'plan', 'start_date']) }} as payer_plan_period_id,
    person_id,
    start_date as payer_plan_period_start_date,
    end_date as payer_plan_period_end_date,
    0 as payer_concept_id,
    payer as payer_source_value,
    0 as payer_source_concept_id,
    case when plan <> '' then 0 end as plan_concept_id,
    nullif(plan, '') as plan_source_value,
    case when plan <> '' then 0 end as plan_source_concept_id,
    cast(null as integer) as sponsor_concept_id,
    cast(null as varchar) as sponsor_source_value,
    cast(null as integer) as sponsor_source_concept_id,
    cast(null as varchar) as family_source_value,
    cast(null as integer) as stop_reason_concept_id,
    cast(null as varchar) as stop_reason_source_value,
    cast(null as integer) as stop_reason_source_concept_id
from period
