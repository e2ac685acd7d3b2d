{{ config(
    materialized='cdm_table',
    scope_person='person_id',
    scope_date='care_start',
    filters_itself=true,
    keeps_rows_in_scope=true,
    contract={'enforced': true},
) }}
{{ after_scope() }}
{%- set descriptions = ['modifier', 'device_start', 'device_end', 'practice', 'prescriber_practice', 'plan'] -%}
{%- set amounts = ['charge', 'allowed', 'paid_basic', 'paid_supplement'] -%}
{%- set sums = ['unrefined_quantity', 'quantity'] + amounts -%}
with contribution as (
    -- Rules 10 to 14: the person of each key, joined now and not when the line came, since the reference changes.
    {{ contributions_in_scope(ref('int_snds_dcir__contribution'), ref('int_snds_beneficiaries__identity_kept')) }}
),

-- Rule 4: net quantities, contact by contact. Columns under `any_value` are part of the key.
alike as (
    select
        person_id,
        event_key,
        contact_key,
        nature,
        {{ descriptions | join(', ') }},
        min(case when kind = 'act' then 'prs' else kind end) as kind,
        any_value(care_start) as care_start,
        any_value(care_end) as care_end,
        any_value(code) as code,
        any_value(is_anaesthesia) as is_anaesthesia,
        any_value(establishment) as establishment,
        any_value(affiliation) as affiliation,
        coalesce(sum(quantity) filter (kind = 'act'), 0) as unrefined_quantity,
        sum(quantity) as quantity
        {%- for amount in amounts %},
        sum({{ amount }}) as {{ amount }}
        {%- endfor %}
    from contribution
    group by person_id, event_key, contact_key, nature, {{ descriptions | join(', ') }}
),

netted as (
    select
        person_id,
        event_key,
        contact_key,
        nature,
        min(kind) as kind,
        any_value(care_start) as care_start,
        any_value(care_end) as care_end,
        any_value(code) as code,
        any_value(is_anaesthesia) as is_anaesthesia,
        any_value(establishment) as establishment,
        any_value(affiliation) as affiliation,
        {{ net_columns(descriptions, sums) }}
    from alike
    group by person_id, event_key, contact_key, nature
    -- Rule 3: amounts use all lines. What nets to none may have corrected the money of a contact billed otherwise.
    having
        sum(quantity) <> 0
        or any_value(kind) in ('cpl', 'owe')
        {%- for amount in amounts %}
        or sum({{ amount }}) <> 0
        {%- endfor %}
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
            min(kind) not in ('prs', 'cpl', 'owe')
            or min({{ signed_quantity() }}) < 0
            or bool_or(kind = 'prs' and quantity = 0)
        )
),

alike_in_whole as (
    select
        person_id,
        event_key,
        {{ descriptions | join(', ') }}
        {%- for name in sums %},
        sum({{ name }}) as {{ name }}
        {%- endfor %}
    from alike
    semi join spread using (person_id, event_key)
    group by person_id, event_key, {{ descriptions | join(', ') }}
),

whole as (
    select
        person_id,
        event_key,
        {{ net_columns(descriptions, sums) }}
    from alike_in_whole
    group by person_id, event_key
),

gathered as (
    select largest.* replace ({% for name in descriptions + sums %}whole.{{ name }} as {{ name }}{{ ', ' if not loop.last }}{% endfor %})
    from (
        select netted.*
        from netted
        semi join spread using (person_id, event_key)
        qualify row_number() over (partition by person_id, event_key order by quantity desc, contact_key, nature) = 1
    ) as largest
    inner join whole using (person_id, event_key)
),

settled as (
    select * from netted
    anti join spread using (person_id, event_key)
    union all by name
    select * from gathered
),

signed as (
    select * replace ({{ signed_quantity() }} as quantity)
    from settled
),

-- Rule 28: activities 1 and 4 of one act are one procedure. A cancellation of nothing stays, to be counted.
performed as (
    select * from signed where not is_anaesthesia or quantity < 0
    union all by name
    (
        select * from signed
        anti join (select * from signed where kind = 'cam' and not is_anaesthesia and quantity > 0) as main
            using (person_id, care_start, code)
        where signed.is_anaesthesia and signed.quantity > 0
    )
),

-- Rule 47: a lump sum is no contact; a nature nobody described is an outpatient one.
described as (
    select
        performed.*,
        case performed.kind
            when 'prs' then case when performed.unrefined_quantity > 0 then nature_of.domain end
            when 'pha' then 'Drug'
            when 'ucd' then 'Drug'
            when 'cam' then 'Procedure'
            when 'bio' then 'Measurement'
            when 'tip' then 'Device'
        end as own_domain_id,
        case when performed.kind in ('cpl', 'owe') then 0 else coalesce(nature_of.visit_concept_id, 9202) end
            as visit_concept_id,
        performed.quantity > 0
        and performed.kind = 'prs'
        and coalesce(nature_of.visit_concept_id, 9202) <> 0 as is_contact,
        {{ hub_id(['visit|snds_dcir', 'person_id', 'contact_key', 'performed.nature']) }} as own_visit_id
    from performed
    left join {{ ref('int_snds_dcir__nature') }} as nature_of on nature_of.code = performed.nature
    -- Rule 4: net zero is no event and no cost; an orphan negative stays, to be counted, and feeds nothing. So does what
    -- acts cost that net to none.
    where
        performed.quantity <> 0
        or (
            performed.kind = 'prs'
            and (performed.charge <> 0 or performed.paid_basic <> 0 or performed.paid_supplement <> 0)
        )
),

-- The vocabularies know the seven digits a CIP13 was made from.
coded as (
    select
        described.*,
        coalesce(nullif(known.target_concept_id, 0), former.target_concept_id, 0) as concept_id,
        coalesce(nullif(known.source_concept_id, 0), former.source_concept_id, 0) as source_concept_id,
        case when known.target_concept_id <> 0 then known.target_domain_id else former.target_domain_id end
            as concept_domain_id
    from described
    left join {{ ref('int_hub__concept_map') }} as known
        on
            known.source_vocabulary_id = {{ code_list('described.kind') }}
            and known.source_code = case described.kind
                when 'ucd' then {{ seven_digits('described.code') }}
                when 'prs' then cast(described.nature as varchar)
                else described.code
            end
    left join {{ ref('int_hub__concept_map') }} as former
        on
            former.source_vocabulary_id = case described.kind when 'pha' then 'FR_CIP7' end
            and former.source_code = {{ seven_digits('described.code') }}
),

linked as (
    select
        * exclude (own_visit_id, own_domain_id, concept_domain_id, unrefined_quantity),
        case
            when quantity > 0 and own_domain_id in {{ event_domains() }}
                then {{ event_domain('concept_domain_id', 'own_domain_id') }}
        end as domain_id,
        -- Of a prestation, what has a refined row is counted there.
        case kind when 'prs' then least(quantity, unrefined_quantity) else quantity end as counted,
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
    from coded
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
        when kind in ('prs', 'cpl', 'owe')
            then {{ hub_id(['event|snds_dcir', 'person_id', 'event_key', 'contact_key', 'linked.nature']) }}
        else {{ hub_id(['event|snds_dcir', 'person_id', 'event_key']) }}
    end as event_id,
    * exclude (contact_key, is_contact, is_anaesthesia, contact_visit_id, day_visit_id),
    case when quantity > 0 then coalesce(contact_visit_id, day_visit_id) end as visit_occurrence_id
from linked
left join day_visit using (person_id, care_start)
