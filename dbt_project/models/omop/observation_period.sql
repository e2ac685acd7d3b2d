{{ config(scope_person='person_id', filters_itself=true) }}
{{ after_scope() }}
{# One period per person, from the first event to the last: every event lies inside. #}
with observed as (
    select person_id, min(first_date) as start_date, max(last_date) as end_date
    from {{ ref('int_hub__activity') }}
    where {{ scope_condition('person_id') }}
    group by person_id
)

select
    {{ hub_id(['observation_period', 'person_id']) }} as observation_period_id,
    person_id,
    start_date as observation_period_start_date,
    end_date as observation_period_end_date,
    32880 as period_type_concept_id
from observed
semi join {{ ref('person') }} using (person_id)
