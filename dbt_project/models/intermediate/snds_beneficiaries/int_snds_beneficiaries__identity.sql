with delivered as (
    -- Rule 17: the reference and its archive together.
    select * from {{ ref('stg_snds_beneficiaries__ir_ben_r') }}
    union all
    select * from {{ ref('stg_snds_beneficiaries__ir_ben_r_arc') }}
),

-- Rule 14: a fictitious number is no person.
genuine as (
    select * from delivered
    where ben_cdi_nir in ('00', '03', '04')
),

-- Rules 10, 11, 13: BEN_NIR_ANO where there is one, whatever the rank; otherwise each rank under a PSA.
identified as (
    select
        *,
        case
            when ben_nir_ano is not null then {{ hub_id(['person', 'ben_nir_ano']) }}
            else {{ hub_id(['person', 'ben_nir_psa', 'ben_rng_gem']) }}
        end as person_id
    from genuine
),

-- Rule 15: no person without a birth year, on whichever of the rows.
born as (
    select *, max(ben_nai_ann) over (partition by person_id) as any_birth_year
    from identified
)

select * exclude (any_birth_year)
from born
where any_birth_year is not null
