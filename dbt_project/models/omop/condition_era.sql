{{ config(
    scope_person='person_id',
    filters_itself=true,
    eras_of='condition',
    pre_hook="{{ keep_era_reach(condition_era_exposures, ref('condition_occurrence'), 'condition') }}",
) }}
{{ after_scope() }}
with era as (
    {{ eras(condition_era_exposures(ref('condition_occurrence')), 'condition') }}
)

select
    {{ hub_id(['condition_era', 'person_id', 'concept_id', 'start_date']) }} as condition_era_id,
    person_id,
    concept_id as condition_concept_id,
    start_date as condition_era_start_date,
    end_date as condition_era_end_date,
    rows_joined as condition_occurrence_count
from era
