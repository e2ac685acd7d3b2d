{{ config(materialized='contribution', dataset='snds_dcir', contract={'enforced': true}) }}
{{ after_scope() }}
{%- set pending = pending_filter('snds_dcir') %}
with dropped as (
    select _delivery, dropped_by_rule as rule
    from {{ ref('int_snds_dcir__line') }}
    where dropped_by_rule is not null and {{ pending }}
    union all
    select _delivery, dropped_by_rule
    from {{ ref('int_snds_dcir__refined') }}
    where dropped_by_rule is not null and {{ pending }}
)

select
    _delivery,
    rule,
    case rule
        when '1' then 'prestation for information only'
        when '2' then 'care of public hospitals, described elsewhere'
        when '4' then 'refined row of quantity zero'
        when '6' then 'act without a code'
        when '14' then 'fictitious number'
        when '28' then 'later phase of a treatment'
        when '35' then 'drug without a code'
        when '38' then 'device without a code'
        when '39' then 'test without a code'
        when '43' then 'no date of care'
    end as reason,
    count(*) as dropped_rows
from dropped
group by all
