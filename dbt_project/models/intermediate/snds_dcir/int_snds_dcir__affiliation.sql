{{ config(
    materialized='cdm_table',
    scope_person='person_id',
    scope_date='care_date',
    filters_itself=true,
    contract={'enforced': true},
) }}
{{ after_scope() }}
select distinct
    person_id,
    care_start as care_date,
    left(affiliation, 3) as payer,
    coalesce(plan, '') as plan
from {{ rows_in_scope(ref('int_snds_dcir__event'), 'care_start') }} as event
where kind = 'prs' and quantity > 0 and affiliation is not null
