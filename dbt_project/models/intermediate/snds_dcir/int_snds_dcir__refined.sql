-- One row per refined line that counts something, whatever its table: what was given and how many, signed.
with drug as (
    select
        _delivery,
        {{ nine_keys() }},
        'pha' as kind,
        -- Rule 35: CIP13 first, the older CIP7 where it is all there is.
        coalesce({{ drug_code('pha_prs_c13') }}, {{ drug_code('pha_prs_ide') }}) as code,
        cast(null as varchar) as modifier,
        -- Rule 36: a deconditioned line counts units, not boxes.
        case when pha_dec_top in ('1', 'D') then pha_dec_qsu else pha_act_qsn end as quantity,
        pha_dec_top in ('1', 'D') as is_in_units,
        cast(null as date) as device_end
    from {{ ref('stg_snds_dcir__er_pha_f') }}
),

hospital_drug as (
    select
        _delivery,
        {{ nine_keys() }},
        'ucd' as kind,
        -- Rule 35: UCD7 forms come padded with zeros or not.
        {{ drug_code('ucd_ucd_cod') }} as code,
        cast(null as varchar) as modifier,
        ucd_dlv_nbr as quantity,
        true as is_in_units,
        cast(null as date) as device_end
    from {{ ref('stg_snds_dcir__er_ucd_f') }}
),

act as (
    select
        _delivery,
        {{ nine_keys() }},
        'cam' as kind,
        trim(cam_prs_ide) as code,
        nullif(
            concat_ws('-', 'A' || nullif(cam_act_cod, '0'), 'P' || nullif(cam_trt_pha, '0'), nullif(cam_mod_cod, '')),
            ''
        )
            as modifier,
        -- Rule 6: no quantity of its own.
        cast(null as bigint) as quantity,
        false as is_in_units,
        cast(null as date) as device_end
    from {{ ref('stg_snds_dcir__er_cam_f') }}
),

biology as (
    select
        _delivery,
        {{ nine_keys() }},
        'bio' as kind,
        -- Rule 39: 552 and 0552 are one act.
        lpad(trim(bio_prs_ide), 4, '0') as code,
        cast(null as varchar) as modifier,
        bio_act_qsn as quantity,
        false as is_in_units,
        cast(null as date) as device_end
    from {{ ref('stg_snds_dcir__er_bio_f') }}
),

device as (
    select
        _delivery,
        {{ nine_keys() }},
        'tip' as kind,
        -- Rule 38: 13 digits, padded; 9999999999999 is no device.
        nullif(lpad(trim(tip_prs_ide), 13, '0'), '9999999999999') as code,
        tip_prs_typ as modifier,
        tip_act_qsn as quantity,
        false as is_in_units,
        -- Rule 38: a purchase has no end.
        case when tip_prs_typ <> '1' then tip_acl_dtf end as device_end
    from {{ ref('stg_snds_dcir__er_tip_f') }}
)

select * from drug
union all
select * from hospital_drug
union all
select * from act
union all
select * from biology
union all
select * from device
