{{ config(scope_person='person_id', filters_itself=true) }}
{{ after_scope() }}
{# A condition without an end lasts one day more than its first, as in OHDSI's script. #}
with era as (
    {{ eras(ref('condition_occurrence'), 'condition_concept_id', 'condition_start_date',
        'coalesce(condition_end_date, condition_start_date + 1)') }}
)

select
    {{ hub_id(['condition_era', 'person_id', 'concept_id', 'start_date']) }} as condition_era_id,
    person_id,
    concept_id as condition_concept_id,
    start_date as condition_era_start_date,
    end_date as condition_era_end_date,
    rows_joined as condition_occurrence_count
from era
