{{ config(
    materialized='cdm_table',
    scope_person='person_id',
    scope_date='care_start',
    filters_itself=true,
    partition_by=['care_month'],
    contract={'enforced': true},
) }}
{{ after_scope() }}
with contribution as (
    -- Rules 10 to 14: the person of each key, joined now and not when the line came, since the reference changes.
    {{ contributions_in_scope(ref('int_snds_dcir__contribution'), ref('int_snds_beneficiaries__identity_kept')) }}
),

-- Rule 4: net quantities. Columns under `any_value` are part of the key.
netted as (
    select
        person_id,
        event_key,
        min(case when kind = 'act' then 'prs' else kind end) as kind,
        bool_and(kind = 'act') as is_unrefined,
        any_value(contact_key) as contact_key,
        any_value(care_month) as care_month,
        any_value(care_start) as care_start,
        any_value(care_end) as care_end,
        any_value(nature) as nature,
        any_value(code) as code,
        any_value(modifier) as modifier,
        any_value(is_in_units) as is_in_units,
        max(device_end) as device_end,
        any_value(practice) as practice,
        any_value(establishment) as establishment,
        any_value(affiliation) as affiliation,
        max(plan) as plan,
        sum(quantity) as quantity,
        sum(charge) as charge,
        sum(allowed) as allowed,
        sum(paid_basic) as paid_basic,
        sum(paid_supplement) as paid_supplement
    from contribution
    group by person_id, event_key
),

-- Rule 47: money without a contact is no visit; a nature nobody described is an outpatient contact.
described as (
    select
        netted.*,
        coalesce(nature_of.domain, '') as nature_domain,
        case when kind = 'cpl' then 0 else coalesce(nature_of.visit_concept_id, 9202) end as visit_concept_id,
        quantity > 0 and visit_concept_id <> 0 as is_contact
    from netted
    left join {{ ref('int_snds_dcir__nature') }} as nature_of on nature_of.code = netted.nature
    -- Rule 4: net zero is no event and no cost; an orphan negative stays, to be counted, and feeds nothing.
    where netted.quantity <> 0
),

visited as (
    select
        *,
        case
            when is_contact then {{ hub_id(['visit|snds_dcir', 'person_id', 'contact_key', 'nature']) }}
        end as own_visit_id
    from described
)

select
    {{ hub_id(['event|snds_dcir', 'person_id', 'event_key']) }} as event_id,
    * exclude (contact_key, own_visit_id, is_contact),
    -- Rule 3: complements, surcharges and allowances go with the contact they were billed for, if there is one.
    case
        when quantity > 0 then coalesce(own_visit_id, min(own_visit_id) over (partition by person_id, contact_key))
    end as visit_occurrence_id,
    is_contact and row_number() over (partition by own_visit_id order by event_key) = 1 as is_first_of_visit
from visited
