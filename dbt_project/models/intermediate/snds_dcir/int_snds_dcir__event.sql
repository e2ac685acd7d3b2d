{{ config(
    materialized='cdm_table',
    scope_person='person_id',
    scope_date='care_start',
    filters_itself=true,
    keeps_rows_in_scope=true,
    contract={'enforced': true},
) }}
{{ after_scope() }}
with contribution as (
    -- Rules 10 to 14: the person of each key, joined now and not when the line came, since the reference changes.
    {{ contributions_in_scope(ref('int_snds_dcir__contribution'), ref('int_snds_beneficiaries__identity_kept')) }}
),

-- Rule 4: net quantities, contact by contact. Columns under `any_value` are part of the key.
netted as (
    select
        person_id,
        event_key,
        contact_key,
        nature,
        min(case when kind = 'act' then 'prs' else kind end) as kind,
        coalesce(sum(quantity) filter (kind = 'act'), 0) as unrefined_quantity,
        any_value(care_start) as care_start,
        any_value(care_end) as care_end,
        any_value(code) as code,
        max(modifier) filter (quantity > 0) as modifier,
        any_value(is_anaesthesia) as is_anaesthesia,
        max(device_start) filter (quantity > 0) as device_start,
        max(device_end) filter (quantity > 0) as device_end,
        min(practice) as practice,
        min(prescriber_practice) as prescriber_practice,
        any_value(establishment) as establishment,
        any_value(affiliation) as affiliation,
        max(plan) as plan,
        sum(quantity) as quantity,
        sum(charge) as charge,
        sum(allowed) as allowed,
        sum(paid_basic) as paid_basic,
        sum(paid_supplement) as paid_supplement
    from contribution
    group by person_id, event_key, contact_key, nature
    -- Rule 3: amounts use all lines. What nets to none may have corrected the money of a contact billed otherwise.
    having
        sum(quantity) <> 0 or any_value(kind) = 'cpl'
        or sum(charge) <> 0 or sum(allowed) <> 0 or sum(paid_basic) <> 0 or sum(paid_supplement) <> 0
),

-- Rule 4: what spreads over several contacts and is one event all the same: whatever a code designates, and
-- prestations and complements of which something cancelled or corrected one that was billed otherwise.
spread as (
    select person_id, event_key
    from netted
    group by person_id, event_key
    having
        count(*) > 1
        and (
            min(kind) not in ('prs', 'cpl')
            or min(case when kind = 'cpl' and quantity = 0 then charge + paid_basic + paid_supplement else quantity end) < 0
            or bool_or(kind = 'prs' and quantity = 0)
        )
),

gathered as (
    select
        * replace (
            sum(unrefined_quantity) over whole_event as unrefined_quantity,
            max(device_start) over whole_event as device_start,
            max(device_end) over whole_event as device_end,
            sum(quantity) over whole_event as quantity,
            sum(charge) over whole_event as charge,
            sum(allowed) over whole_event as allowed,
            sum(paid_basic) over whole_event as paid_basic,
            sum(paid_supplement) over whole_event as paid_supplement
        )
    from netted
    semi join spread using (person_id, event_key)
    window whole_event as (partition by person_id, event_key)
    qualify row_number() over (partition by person_id, event_key order by netted.quantity desc, contact_key, nature) = 1
),

settled as (
    select * from netted
    anti join spread using (person_id, event_key)
    union all by name
    select * from gathered
),

-- Rule 3: a complement carries money, not an act: without a quantity it has the sign of its amounts.
signed as (
    select
        * replace (
            case
                when kind = 'cpl' and quantity = 0 then sign(charge + paid_basic + paid_supplement) else quantity
            end as quantity
        )
    from settled
),

-- Rule 28: activities 1 and 4 of one act are one procedure.
performed as (
    select * from signed where not is_anaesthesia
    union all by name
    (
        select * from signed
        anti join (select * from signed where kind = 'cam' and not is_anaesthesia and quantity > 0) as main
            using (person_id, care_start, code)
        where signed.is_anaesthesia
    )
),

-- Rule 47: a lump sum is no contact; a nature nobody described is an outpatient one.
described as (
    select
        performed.*,
        coalesce(nature_of.domain, '') as nature_domain,
        case when performed.kind = 'cpl' then 0 else coalesce(nature_of.visit_concept_id, 9202) end as visit_concept_id,
        performed.quantity > 0
        and performed.kind = 'prs'
        and coalesce(nature_of.visit_concept_id, 9202) <> 0 as is_contact,
        {{ hub_id(['visit|snds_dcir', 'person_id', 'contact_key', 'performed.nature']) }} as own_visit_id
    from performed
    left join {{ ref('int_snds_dcir__nature') }} as nature_of on nature_of.code = performed.nature
    -- Rule 4: net zero is no event and no cost; an orphan negative stays, to be counted, and feeds nothing.
    where performed.quantity <> 0
),

linked as (
    select
        * exclude (own_visit_id),
        -- Rule 3: complements and allowances go with the contact they were billed for, of their own nature or another.
        case
            when quantity > 0 then coalesce(
                case when bool_or(is_contact) over (partition by own_visit_id) then own_visit_id end,
                min(case when is_contact then own_visit_id end) over (partition by person_id, contact_key)
            )
        end as contact_visit_id,
        is_contact
        and row_number() over (partition by own_visit_id order by not is_contact, event_key) = 1
            as is_first_of_visit
    from described
),

-- ... and failing that, when what cancelled their contact left another, with one of the same day.
day_visit as (
    select person_id, care_start, min(contact_visit_id) as day_visit_id
    from linked
    semi join (select * from linked where quantity > 0 and contact_visit_id is null) as adrift
        using (person_id, care_start)
    group by person_id, care_start
)

select
    case
        when kind in ('prs', 'cpl')
            then {{ hub_id(['event|snds_dcir', 'person_id', 'event_key', 'contact_key', 'linked.nature']) }}
        else {{ hub_id(['event|snds_dcir', 'person_id', 'event_key']) }}
    end as event_id,
    * exclude (contact_key, is_contact, is_anaesthesia, contact_visit_id, day_visit_id),
    case when quantity > 0 then coalesce(contact_visit_id, day_visit_id) end as visit_occurrence_id
from linked
left join day_visit using (person_id, care_start)
