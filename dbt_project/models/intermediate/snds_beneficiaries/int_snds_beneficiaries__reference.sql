with ranked as (
    -- Rule 10: residence from the row of the greatest MAX_TRT_DTD, then BEN_DTE_MAJ; the key settles what is left.
    select
        *,
        row_number() over (
            partition by person_id
            order by max_trt_dtd desc nulls last, ben_dte_maj desc nulls last, is_archived, ben_nir_psa, ben_rng_gem
        ) as preference
    from {{ ref('int_snds_beneficiaries__identity') }}
),

-- `arg_min` skips nulls: each fact comes from the most preferred row that has it.
chosen as (
    select
        person_id,
        arg_min(ben_nai_ann, preference) as birth_year,
        arg_min(ben_nai_moi, preference) filter (ben_nai_moi between 1 and 12) as birth_month,
        coalesce(
            arg_min(ben_sex_cod, preference) filter (ben_sex_cod in ('1', '2')), arg_min(ben_sex_cod, preference)
        ) as sex,
        arg_min(ben_res_dpt, preference) filter (preference = 1) as residence_department,
        arg_min(ben_res_com, preference) filter (preference = 1) as residence_commune,
        arg_min(org_aff_ben, preference) filter (preference = 1) as affiliation,
        -- Rules 10, 15, 41: the latest death date any row has; the month alone counts as its last day.
        coalesce(
            max(ben_dcd_dte), max(last_day(try_strptime(ben_dcd_ame || '01', '%Y%m%d')::date))
        ) as death_date
    from ranked
    group by person_id
),

-- Rule 16: codes are assembled by scheme.
located as (
    select
        chosen.*,
        {{ insee_department('residence_department', 'residence_commune', 'affiliation', 'south.commune is not null') }}
            as department
    from chosen
    left join {{ ref('corse_du_sud_commune') }} as south on south.commune = lpad(residence_commune, 3, '0')
)

select
    person_id,
    birth_year,
    birth_month,
    sex,
    {{ insee_commune('department', 'residence_commune') }} as commune,
    department,
    death_date
from located
