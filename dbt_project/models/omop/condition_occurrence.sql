{{ config(
    scope_person='person_id',
    scope_date='condition_start_date',
    keeps_rows_in_scope=['person_id', 'condition_start_date', 'condition_end_date', 'condition_concept_id'],
) }}
{{ fragments() }}
