-- One row per refined line that counts something, whatever its table: what was given and how many, signed. A line that
-- does not say how many is one, and `is_unsigned`: its prestation then tells whether it was given or taken back.
with drug as (
    select
        _delivery,
        {{ nine_keys() }},
        'pha' as kind,
        -- Rule 35: CIP13 first, the older CIP7 where it is all there is.
        coalesce({{ cip13('pha_prs_c13') }}, {{ cip13('pha_prs_ide') }}) as code,
        cast(null as varchar) as modifier,
        false as is_anaesthesia,
        pha_act_qsn as boxes,
        pha_act_qsn is null as is_unsigned,
        -- Rule 36: a deconditioned line takes its units from PHA_DEC_QSU, signed as its boxes where they have a sign.
        case
            when pha_dec_top in ('1', 'D') then abs(pha_dec_qsu) * sign(coalesce(nullif(pha_act_qsn, 0), pha_dec_qsu))
        end as quantity,
        cast(null as date) as device_start,
        cast(null as date) as device_end
    from {{ ref('stg_snds_dcir__er_pha_f') }}
),

-- Rule 37: boxes times units per box.
dispensed as (
    select
        _delivery,
        {{ nine_keys() }},
        kind,
        code,
        modifier,
        is_anaesthesia,
        coalesce(drug.quantity, coalesce(drug.boxes, 1) * {{ units_per_box('pack.contents') }}) as quantity,
        drug.is_unsigned and drug.quantity is null as is_unsigned,
        device_start,
        device_end,
        case when code is null then '35' end as dropped_by_rule
    from drug
    left join {{ ref('drug_pack') }} as pack on pack.cip13 = drug.code
),

hospital_drug as (
    select
        _delivery,
        {{ nine_keys() }},
        'ucd' as kind,
        {{ ucd13('ucd_ucd_cod') }} as code,
        cast(null as varchar) as modifier,
        false as is_anaesthesia,
        coalesce(ucd_dlv_nbr, 1) as quantity,
        true as is_unsigned,
        cast(null as date) as device_start,
        cast(null as date) as device_end,
        case when {{ ucd13('ucd_ucd_cod') }} is null then '35' end as dropped_by_rule
    from {{ ref('stg_snds_dcir__er_ucd_f') }}
),

act as (
    select
        _delivery,
        {{ nine_keys() }},
        'cam' as kind,
        nullif(trim(cam_prs_ide), '') as code,
        nullif(trim(cam_mod_cod), '') as modifier,
        -- Rule 28: activity 4 is the anaesthesia of the act, not another act.
        coalesce(cam_act_cod = '4', false) as is_anaesthesia,
        -- Rule 6: no quantity of its own.
        cast(null as bigint) as quantity,
        true as is_unsigned,
        cast(null as date) as device_start,
        cast(null as date) as device_end,
        case
            when coalesce(trim(cam_prs_ide), '') = '' then '6'
            -- Rule 28: the later phases of a treatment are not other acts.
            when cam_trt_pha not in ('0', '1', '') then '28'
        end as dropped_by_rule
    from {{ ref('stg_snds_dcir__er_cam_f') }}
),

biology as (
    select
        _delivery,
        {{ nine_keys() }},
        'bio' as kind,
        -- Rule 39: 552 and 0552 are one act.
        case when ltrim(trim(bio_prs_ide), '0') <> '' then lpad(trim(bio_prs_ide), 4, '0') end as code,
        cast(null as varchar) as modifier,
        false as is_anaesthesia,
        coalesce(bio_act_qsn, 1) as quantity,
        bio_act_qsn is null as is_unsigned,
        cast(null as date) as device_start,
        cast(null as date) as device_end,
        case when coalesce(ltrim(trim(bio_prs_ide), '0'), '') = '' then '39' end as dropped_by_rule
    from {{ ref('stg_snds_dcir__er_bio_f') }}
),

coded_device as (
    -- Rule 38: 13 digits, padded; 9999999999999 is no device.
    select
        *,
        case when ltrim(trim(tip_prs_ide), '0') <> '' then nullif(lpad(trim(tip_prs_ide), 13, '0'), repeat('9', 13)) end
            as code
    from {{ ref('stg_snds_dcir__er_tip_f') }}
),

device as (
    select
        _delivery,
        {{ nine_keys() }},
        'tip' as kind,
        code,
        cast(null as varchar) as modifier,
        false as is_anaesthesia,
        coalesce(tip_act_qsn, 1) as quantity,
        tip_act_qsn is null as is_unsigned,
        tip_acl_dtd as device_start,
        -- Rule 38: a purchase has no end.
        case when coalesce(tip_prs_typ, '') <> '1' then tip_acl_dtf end as device_end,
        case when code is null then '38' end as dropped_by_rule
    from coded_device
),

every_row as (
    select * from dispensed
    union all
    select * from hospital_drug
    union all
    select * from act
    union all
    select * from biology
    union all
    select * from device
)

-- Rule 4: zero is no event.
select * replace (coalesce(dropped_by_rule, case when quantity = 0 then '4' end) as dropped_by_rule)
from every_row
