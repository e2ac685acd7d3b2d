with granted as (
    -- Rule 40: long-term illness only; exemptions for other reasons are not diseases.
    select
        ben_nir_psa,
        ben_rng_gem,
        upper(replace(trim(med_mtf_cod), '.', '')) as code,
        trim(imb_etm_nat) as exemption,
        -- An illness whose first day is missing begins when it was entered.
        coalesce(imb_ald_dtd, ins_dte) as start_date,
        imb_ald_dtf as end_date
    from {{ ref('stg_snds_beneficiaries__ir_imb_r') }}
    where
        trim(imb_etm_nat) in ('41', '43', '45')
        and coalesce(imb_ald_dtd, ins_dte) is not null
        and trim(med_mtf_cod) <> ''
),

of_person as (
    select identity.person_id, granted.*
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
        min(exemption) as exemption,
        min(start_date) as start_date,
        case when count(end_date) = count(*) then max(end_date) end as end_date
    from of_person
    group by person_id, code
)

-- Rule 40: death closes what is open or ends later. What is closed stays so: an end before the start is the start.
select
    lineage.person_id,
    lineage.code,
    lineage.exemption,
    lineage.start_date,
    case
        when coalesce(lineage.end_date, reference.death_date) is not null
            then greatest(lineage.start_date, least(lineage.end_date, reference.death_date))
    end as end_date
from lineage
inner join {{ ref('int_snds_beneficiaries__reference') }} as reference using (person_id)
