{{ config(scope_person='person_id', filters_itself=true) }}
{{ after_scope() }}
{# One period per person, from the first event to the last: every event lies inside. #}
with observed as (
    select person_id, min(first_date) as start_date, max(last_date) as end_date
    from {{ ref('int_hub__activity') }}
    where {{ scope_condition('person_id') }}
    group by person_id
),

claimant as (
    {%- for persons in var('claimants') %}
    select person_id from {{ ref(persons) }}
    {{ "union" if not loop.last }}
    {%- endfor %}
)

select
    {{ hub_id(['observation_period', 'person_id']) }} as observation_period_id,
    person_id,
    start_date as observation_period_start_date,
    end_date as observation_period_end_date,
    -- Computed from claims, or else from health records.
    case when claimant.person_id is not null then 32881 else 32882 end as period_type_concept_id
from observed
semi join {{ ref('person') }} as person using (person_id)
left join claimant using (person_id)
