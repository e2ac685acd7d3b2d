with billed as (
    select
        visit_detail_id as cost_id,
        visit_occurrence_id as cost_event_id,
        'Visit' as cost_domain_id,
        total_claim_cost as amount,
        payer_coverage as covered,
        person_id,
        -- With the visit, so that both move together in scope.
        cast(visit_start_at as date) as cost_date
    from {{ ref('int_hospital_ehr__encounter') }}
    union all
    select event_id, event_id, domain_id, base_cost, payer_coverage, person_id, cast(start_at as date)
    from {{ ref('int_hospital_ehr__coded_medications') }}
    union all
    select event_id, event_id, domain_id, base_cost, null, person_id, cast(event_at as date)
    from {{ ref('int_hospital_ehr__coded_immunizations') }}
    union all
    select event_id, event_id, domain_id, base_cost, null, person_id, cast(start_at as date)
    from {{ ref('int_hospital_ehr__coded_procedures') }}
)

select
    cost_id,
    cost_event_id,
    cost_domain_id,
    {{ billed('amount', 'covered') }},
    person_id,
    cost_date
from billed
