{{ config(
    scope_person='person_id',
    scope_date='drug_exposure_start_date',
    keeps_rows_in_scope=['person_id', 'drug_exposure_start_date', 'drug_exposure_end_date', 'drug_concept_id'],
) }}
{{ fragments() }}
