with delivered as (
    -- Rule 17: the reference and its archive together.
    select *, false as is_archived from {{ ref('stg_snds_beneficiaries__ir_ben_r') }}
    union all
    select *, true from {{ ref('stg_snds_beneficiaries__ir_ben_r_arc') }}
),

-- Rule 14: a fictitious number is no person. Rule 10: the person's own number, as BEN_IDT_ANO or BEN_NIR_ANO gives it.
genuine as (
    select
        *,
        -- Where nothing says that BEN_IDT_ANO is the person's own (BEN_IDT_TOP), it may be PSA and rank over again:
        -- it is taken where there is no other.
        coalesce(
            case when ben_idt_top = '1' then ben_idt_ano end,
            ben_nir_ano,
            case when ben_idt_top is null then ben_idt_ano end
        ) as own_number
    from delivered
    where {{ is_genuine_number('ben_cdi_nir') }}
),

-- Rule 18: a key that the archive and the reference both hold designates one person, whatever number each gives it.
held_twice as (
    select
        present.ben_nir_psa,
        present.ben_rng_gem,
        former.own_number as former_number,
        present.own_number as present_number
    from genuine as former
    inner join genuine as present using (ben_nir_psa, ben_rng_gem)
    where former.is_archived and not present.is_archived
),

linked as (
    select former_number as number, present_number as other from held_twice where former_number <> present_number
    union
    select present_number, former_number from held_twice where former_number <> present_number
),

reached as (
    with recursive step as (
        select number, other from linked
        union
        select step.number, linked.other from step inner join linked on linked.number = step.other
    )

    select number, min(other) as least_other from step group by number
),

-- Rules 10, 11, 13: the own number where there is one, whatever the rank; otherwise each rank under a PSA.
identified as (
    select
        genuine.*,
        case
            when coalesce(own_number, present_number, former_number) is null
                then {{ hub_id(['person', 'genuine.ben_nir_psa', 'genuine.ben_rng_gem']) }}
            else
                {{ hub_id([
                    'person',
                    'least(coalesce(own_number, present_number, former_number), least_other)',
                ]) }}
        end as person_id
    from genuine
    left join held_twice using (ben_nir_psa, ben_rng_gem)
    left join reached on reached.number = coalesce(own_number, present_number, former_number)
),

-- Rule 15: no person without a birth year, on whichever of the rows.
born as (
    select *, max(ben_nai_ann) over (partition by person_id) as any_birth_year
    from identified
)

select * exclude (any_birth_year)
from born
where any_birth_year is not null
