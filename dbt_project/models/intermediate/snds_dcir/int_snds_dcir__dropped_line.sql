{{ config(materialized='contribution', dataset='snds_dcir', contract={'enforced': true}) }}
{{ after_scope() }}
{%- set pending = pending_filter('snds_dcir') %}
select _delivery, dropped_by_rule as rule, count(*) as dropped_rows
from {{ ref('int_snds_dcir__line') }}
where dropped_by_rule is not null and {{ pending }}
group by all
union all
select _delivery, case kind when 'tip' then '38' else '35' end as rule, count(*) as dropped_rows
from {{ ref('int_snds_dcir__refined') }}
where code is null and {{ pending }}
group by all
