with counted as (
    select rule, reason, sum(dropped_rows) as dropped_rows
    from {{ ref('int_snds_dcir__dropped_line') }}
    group by all
    union all
    select '4', 'cancellation of nothing', count(*)
    from {{ ref('int_snds_dcir__event') }}
    where quantity < 0
    union all
    select '4', 'cost of acts that net to none', count(*)
    from {{ ref('int_snds_dcir__event') }}
    where quantity = 0
    union all
    select '3', 'amount billed with no contact on that day', count(*)
    from {{ ref('int_snds_dcir__event') }}
    where kind in ('prs', 'cpl', 'owe') and quantity > 0 and visit_occurrence_id is null
    union all
    select '17', 'key that the beneficiary reference does not know as a person', count(*)
    from {{ ref('int_snds_dcir__contribution') }}
    anti join {{ ref('int_snds_beneficiaries__identity_kept') }} using (ben_nir_psa, ben_rng_gem)
    where kind in ('prs', 'act', 'cpl', 'owe')
)

select 'snds_dcir' as dataset, rule, reason, cast(dropped_rows as bigint) as dropped_rows
from counted
where dropped_rows > 0
