with delivered as (
    select * from {{ ref('stg_snds_beneficiaries__ir_ben_r') }}
    union all
    select * from {{ ref('stg_snds_beneficiaries__ir_ben_r_arc') }}
),

counted as (
    select '14' as rule, count(*) as dropped_rows
    from delivered
    where ben_cdi_nir is null or ben_cdi_nir not in ('00', '03', '04')
    union all
    select '15', (select count(*) from delivered where ben_cdi_nir in ('00', '03', '04')) - count(*)
    from {{ ref('int_snds_beneficiaries__identity') }}
    union all
    select '40', count(*)
    from {{ ref('stg_snds_beneficiaries__ir_imb_r') }}
    where imb_etm_nat is null or imb_etm_nat not in ('41', '43', '45')
)

select
    'snds_beneficiaries' as dataset,
    rule,
    case rule
        when '14' then 'fictitious number'
        when '15' then 'person without a birth year'
        when '40' then 'exemption that is not a long-term illness'
    end as reason,
    dropped_rows
from counted
where dropped_rows > 0
