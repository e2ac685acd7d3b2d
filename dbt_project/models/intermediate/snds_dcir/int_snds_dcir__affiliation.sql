{{ config(
    materialized='cdm_table',
    scope_person='person_id',
    scope_date='care_month',
    by_month=true,
    filters_itself=true,
    contract={'enforced': true},
) }}
{{ after_scope() }}
select
    person_id,
    care_month,
    left(affiliation, 3) as payer,
    coalesce(plan, '') as plan,
    min(care_start) as first_date,
    max(care_start) as last_date
from {{ ref('int_snds_dcir__event') }}
where kind = 'prs' and quantity > 0 and affiliation is not null and {{ scope_condition('person_id', 'care_month', by_month=true) }}
group by all
