-- One row per ER_PRS_F line, with what is read beside it and the rule that drops it, if any.
with establishment as (
    select
        _delivery,
        {{ nine_keys() }},
        bool_or(ete_ind_taa = '1') as is_public_stay,
        min({{ finess('etb_exe_fin') }}) as etb_exe_fin
    from {{ ref('stg_snds_dcir__er_ete_f') }}
    group by all
),

undated as (
    select _delivery, {{ nine_keys() }}
    from {{ ref('stg_snds_dcir__er_prs_f') }}
    where exe_soi_dtd is null
),

-- Rule 37: a dispensing without a care date starts on its prescription date; other care without a date has none.
dispensing as (
    select _delivery, {{ nine_keys() }}
    from {{ ref('stg_snds_dcir__er_pha_f') }}
    semi join undated using (_delivery, {{ nine_keys() }})
    union
    select _delivery, {{ nine_keys() }}
    from {{ ref('stg_snds_dcir__er_ucd_f') }}
    semi join undated using (_delivery, {{ nine_keys() }})
),

dated as (
    select
        line.*,
        establishment.etb_exe_fin,
        coalesce(establishment.is_public_stay, false) as is_public_stay,
        case
            when line.exe_soi_dtd is not null then line.exe_soi_dtd
            when dispensing._delivery is not null then line.pre_pre_dtd
        end as care_start
    from {{ ref('stg_snds_dcir__er_prs_f') }} as line
    left join establishment using (_delivery, {{ nine_keys() }})
    left join dispensing using (_delivery, {{ nine_keys() }})
)

select
    * exclude (is_public_stay, exe_soi_dtd, exe_soi_dtf, pre_pre_dtd, etb_exe_fin, etb_pre_fin),
    -- Rule 43: a missing end is the start.
    greatest(care_start, exe_soi_dtf) as care_end,
    -- Rule 3: a complement is no act.
    coalesce(cpl_maj_top, 0) >= 2 as is_complement,
    prs_nat_ref as nature,
    coalesce(etb_exe_fin, {{ finess('etb_pre_fin') }}) as establishment,
    -- Rule 44: specialty 0 or 99 falls back to the activity; without a number (00000000) the practitioner is salaried.
    case when pfs_exe_num is not null then {{ practitioner_code('pse_spe_cod', 'pse_act_nat') }} end as practice,
    case
        when pfs_pre_num is not null then {{ practitioner_code('psp_spe_cod', 'psp_act_nat') }}
    end as prescriber_practice,
    case
        when dpn_qlf in ('71', '72') or prs_dpn_qlp in ('71', '72') then '1'
        when is_public_stay then '2'
        when ben_cdi_nir is not null and not {{ is_genuine_number('ben_cdi_nir') }} then '14'
        when care_start is null then '43'
    end as dropped_by_rule
from dated
