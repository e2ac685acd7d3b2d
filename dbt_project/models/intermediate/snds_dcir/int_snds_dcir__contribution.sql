{{ config(
    materialized='contribution',
    dataset='snds_dcir',
    keys_of=['stg_snds_dcir__er_prs_f', 'ben_nir_psa, coalesce(ben_rng_gem, 0)', 'ben_nir_psa, ben_rng_gem'],
    contract={'enforced': true},
) }}
{{ after_scope() }}
-- depends_on: {{ ref('stg_snds_dcir__er_prs_f') }}
{%- set pending = pending_filter('snds_dcir') %}
with line as (
    select
        * replace (
            -- A line that does not say how many is one, given or, as its amounts tell, taken back; a complement is none.
            coalesce(
                prs_act_qte,
                case
                    when is_complement then 0
                    when coalesce(prs_pai_mnt, 0) + coalesce(bse_rem_mnt, 0) + coalesce(cpl_rem_mnt, 0) < 0 then -1
                    else 1
                end
            ) as prs_act_qte
        )
    from {{ ref('int_snds_dcir__line') }}
    where dropped_by_rule is null and {{ pending }}
),

refined as (
    select * from {{ ref('int_snds_dcir__refined') }}
    where {{ pending }}
),

refined_line as (
    -- Rule 8: no money here, it stays on the prestation. Rule 3: a complement counts nothing.
    select
        line.* exclude (prs_pai_mnt, bse_rem_bse, bse_rem_mnt, cpl_rem_bse, cpl_rem_mnt),
        refined.kind,
        refined.code,
        refined.modifier,
        refined.is_anaesthesia,
        refined.device_start,
        refined.device_end,
        case
            when refined.kind = 'cam' then line.prs_act_qte
            -- Rule 5: not signed, takes the sign of the prestation; so does a row that does not say how many.
            when refined.kind = 'ucd' or refined.is_unsigned then refined.quantity * sign(line.prs_act_qte)
            else refined.quantity
        end as quantity,
        0 as charge,
        0 as allowed,
        0 as paid_basic,
        0 as paid_supplement
    from line
    inner join refined using (_delivery, {{ nine_keys() }})
    where not line.is_complement and refined.dropped_by_rule is null
),

has_refined as (
    select distinct _delivery, {{ nine_keys() }} from refined
),

prestation_line as (
    select
        line.* exclude (prs_pai_mnt, bse_rem_bse, bse_rem_mnt, cpl_rem_bse, cpl_rem_mnt),
        -- Rule 3: counts are without complements, amounts with all lines.
        case
            -- What patients owe (flat participations and deductibles 16, later care out of the pathway 24) counts backwards.
            when line.is_complement and line.cpl_aff_cod in (16, 24) then 'owe'
            when line.is_complement then 'cpl'
            when has_refined._delivery is null then 'act'
            else 'prs'
        end as kind,
        cast(null as varchar) as code,
        cast(null as varchar) as modifier,
        false as is_anaesthesia,
        cast(null as date) as device_start,
        cast(null as date) as device_end,
        line.prs_act_qte as quantity,
        coalesce(line.prs_pai_mnt, 0) as charge,
        -- The base of a line is that of the act and that of its complement (published amounts of care in town).
        coalesce(line.bse_rem_bse, 0) + coalesce(line.cpl_rem_bse, 0) as allowed,
        coalesce(line.bse_rem_mnt, 0) as paid_basic,
        coalesce(line.cpl_rem_mnt, 0) as paid_supplement
    from line
    left join has_refined using (_delivery, {{ nine_keys() }})
),

every_line as (
    select * from prestation_line
    union all by name
    select * from refined_line
)

select
    _delivery,
    ben_nir_psa,
    coalesce(ben_rng_gem, 0) as ben_rng_gem,
    kind,
    -- Rule 4: care date, code, and the residence, affiliation and specialty columns; the person joins when netting.
    -- Nothing else: a cancellation may differ in all the rest. What a complement is for is its code.
    {{ hub_id(['event', "case when kind in ('prs', 'act') then 'prs' else kind end", 'care_start',
        'coalesce(code, cast(nature as varchar))', 'is_anaesthesia', 'pse_spe_cod', 'psp_spe_cod', 'org_aff_ben',
        'ben_res_dpt', 'ben_res_com', "case when kind in ('cpl', 'owe') then cpl_aff_cod end"]) }} as event_key,
    -- What the lines billed for one contact share, whatever their nature.
    {{ hub_id(['contact', 'care_start', 'care_end', "coalesce(establishment, '0')", 'pfs_exe_num', 'pfs_pre_num',
        'org_cle_new']) }} as contact_key,
    care_start,
    care_end,
    nature,
    code,
    modifier,
    is_anaesthesia,
    device_start,
    device_end,
    practice,
    prescriber_practice,
    establishment,
    org_aff_ben as affiliation,
    case
        -- A small scheme's code means something within its main scheme alone (IR_RGM_V): 652 is the railways' in another.
        when ben_cmu_cat = '5' or (rgm_cod in (95, 96, 652) and coalesce(rgm_grg_cod, 1) = 1) then 'AME'
        when ben_cmu_top = '1' or ben_cta_typ = '89' then 'C2S'
    end as plan,
    cast(coalesce(quantity, 0) as decimal(18, 2)) as quantity,
    cast(charge as decimal(18, 2)) as charge,
    cast(allowed as decimal(18, 2)) as allowed,
    cast(paid_basic as decimal(18, 2)) as paid_basic,
    cast(paid_supplement as decimal(18, 2)) as paid_supplement
from every_line
