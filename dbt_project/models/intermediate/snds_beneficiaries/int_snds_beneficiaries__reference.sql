with ranked as (
    -- Rule 10: residence from the row of the greatest MAX_TRT_DTD, then BEN_DTE_MAJ; the key settles what is left.
    select
        *,
        row_number() over (
            partition by person_id
            order by max_trt_dtd desc nulls last, ben_dte_maj desc nulls last, ben_nir_psa, ben_rng_gem
        ) as preference
    from {{ ref('int_snds_beneficiaries__identity') }}
),

-- `arg_min` skips nulls: each fact comes from the most preferred row that has it.
chosen as (
    select
        person_id,
        arg_min(ben_nai_ann, preference) as birth_year,
        arg_min(ben_nai_moi, preference) filter (ben_nai_moi between 1 and 12) as birth_month,
        arg_min(ben_sex_cod, preference) filter (ben_sex_cod in ('1', '2')) as sex,
        arg_min(ben_res_dpt, preference) filter (preference = 1) as residence_department,
        arg_min(ben_res_com, preference) filter (preference = 1) as residence_commune,
        -- Rules 10, 15, 41: the death date from whichever row has one; the month alone counts as its last day.
        coalesce(
            arg_min(ben_dcd_dte, preference),
            arg_min(last_day(try_strptime(ben_dcd_ame || '01', '%Y%m%d')::date), preference)
        ) as death_date
    from ranked
    group by person_id
),

placed as (
    select
        * exclude (residence_department, residence_commune),
        {{ insee_commune('residence_department', 'residence_commune') }} as commune,
        {{ insee_department('residence_department', 'residence_commune') }} as department
    from chosen
)

select * from placed
