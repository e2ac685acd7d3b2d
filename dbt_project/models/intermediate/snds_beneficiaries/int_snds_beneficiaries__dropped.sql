with delivered as (
    select * from {{ ref('stg_snds_beneficiaries__ir_ben_r') }}
    union all
    select * from {{ ref('stg_snds_beneficiaries__ir_ben_r_arc') }}
),

exemption as (
    select *, coalesce(trim(imb_etm_nat) in ('41', '43', '45'), false) as is_long_term_illness
    from {{ ref('stg_snds_beneficiaries__ir_imb_r') }}
),

counted as (
    select '14' as rule, 'fictitious number' as reason, count(*) as dropped_rows
    from delivered
    where not {{ is_genuine_number('ben_cdi_nir') }}
    union all
    select
        '15',
        'person without a birth year',
        (select count(*) from delivered where {{ is_genuine_number('ben_cdi_nir') }}) - count(*)
    from {{ ref('int_snds_beneficiaries__identity') }}
    union all
    select '40', 'exemption that is not a long-term illness', count(*)
    from exemption
    where not is_long_term_illness
    union all
    select '40', 'long-term illness without a diagnosis or a date', count(*)
    from exemption
    where
        is_long_term_illness
        and (coalesce(trim(med_mtf_cod), '') = '' or coalesce(imb_ald_dtd, ins_dte) is null)
    union all
    select '17', 'long-term illness of a key that designates no person', count(*)
    from exemption
    anti join {{ ref('int_snds_beneficiaries__identity') }} using (ben_nir_psa, ben_rng_gem)
    where is_long_term_illness and trim(med_mtf_cod) <> '' and coalesce(imb_ald_dtd, ins_dte) is not null
)

select 'snds_beneficiaries' as dataset, rule, reason, dropped_rows
from counted
where dropped_rows > 0
