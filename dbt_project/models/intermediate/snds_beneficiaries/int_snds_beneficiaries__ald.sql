with granted as (
    -- Rule 40: long-term illness only; exemptions for other reasons are not diseases.
    select * from {{ ref('stg_snds_beneficiaries__ir_imb_r') }}
    where
        imb_etm_nat in ('41', '43', '45')
        and imb_ald_dtd is not null
        and trim(med_mtf_cod) <> ''
),

of_person as (
    select
        identity.person_id,
        trim(granted.med_mtf_cod) as code,
        granted.imb_etm_nat,
        granted.imb_ald_dtd,
        granted.imb_ald_dtf
    from granted
    inner join (
        select ben_nir_psa, ben_rng_gem, min(person_id) as person_id
        from {{ ref('int_snds_beneficiaries__identity') }}
        group by ben_nir_psa, ben_rng_gem
    ) as identity using (ben_nir_psa, ben_rng_gem)
),

-- Rule 40: a renewal inserts a row; the lineage is the disease of the person, open while any of its rows is.
lineage as (
    select
        person_id,
        code,
        min(imb_etm_nat) as exemption,
        min(imb_ald_dtd) as start_date,
        case when count(imb_ald_dtf) = count(*) then max(imb_ald_dtf) end as end_date
    from of_person
    group by person_id, code
),

-- Rule 40: death closes what is open or ends later.
closed as (
    select
        lineage.* replace (
            case
                when reference.death_date < coalesce(lineage.end_date, date '9999-12-31') then reference.death_date
                else lineage.end_date
            end as end_date
        )
    from lineage
    inner join {{ ref('int_snds_beneficiaries__reference') }} as reference using (person_id)
)

select * replace (case when end_date >= start_date then end_date end as end_date)
from closed
