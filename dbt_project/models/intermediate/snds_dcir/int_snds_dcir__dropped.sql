with counted as (
    select rule, sum(dropped_rows) as dropped_rows
    from {{ ref('int_snds_dcir__dropped_line') }}
    group by rule
    union all
    select '4', count(*)
    from {{ ref('int_snds_dcir__event') }}
    where quantity < 0
    union all
    select '3', count(*)
    from {{ ref('int_snds_dcir__event') }}
    where kind in ('prs', 'cpl') and quantity > 0 and visit_occurrence_id is null
    union all
    select '17', count(*)
    from {{ ref('int_snds_dcir__contribution') }}
    anti join {{ ref('int_snds_beneficiaries__identity_kept') }} using (ben_nir_psa, ben_rng_gem)
    where kind in ('prs', 'act', 'cpl')
)

select
    'snds_dcir' as dataset,
    rule,
    case rule
        when '1' then 'prestation for information only'
        when '2' then 'care of public hospitals, described elsewhere'
        when '3' then 'amount billed with no contact on that day'
        when '4' then 'cancellation of nothing'
        when '17' then 'key that the beneficiary reference does not know as a person'
        when '35' then 'drug without a code'
        when '38' then 'device without a code'
        when '43' then 'no date of care'
    end as reason,
    cast(dropped_rows as bigint) as dropped_rows
from counted
where dropped_rows > 0
