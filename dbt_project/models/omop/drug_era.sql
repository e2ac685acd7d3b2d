{{ config(scope_person='person_id', filters_itself=true) }}
{{ after_scope() }}
{# With Athena an era is of an ingredient, one for each that the drug is made of, and a drug without any has none. #}
with ingredient as (
    {{ ingredients() }}
),

exposure as (
    select
        drug.person_id,
        coalesce(ingredient.ingredient_concept_id, drug.drug_concept_id) as concept_id,
        drug.drug_exposure_start_date as start_date,
        drug.drug_exposure_end_date as end_date
    from {{ ref('drug_exposure') }} as drug
    {{ 'inner' if has_athena() else 'left' }} join ingredient on ingredient.drug_concept_id = drug.drug_concept_id
),

era as (
    {{ eras('exposure', 'concept_id', 'start_date', 'end_date') }}
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
