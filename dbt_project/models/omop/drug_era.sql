{{ config(
    scope_person='person_id',
    filters_itself=true,
    eras_of='drug',
    pre_hook="{{ keep_era_reach(drug_era_exposures, ref('drug_exposure'), 'drug') }}",
) }}
{{ after_scope() }}
with era as (
    {{ eras(drug_era_exposures(ref('drug_exposure')), 'drug') }}
)

select
    {{ hub_id(['drug_era', 'person_id', 'concept_id', 'start_date']) }} as drug_era_id,
    person_id,
    concept_id as drug_concept_id,
    start_date as drug_era_start_date,
    end_date as drug_era_end_date,
    rows_joined as drug_exposure_count,
    gap_days
from era
