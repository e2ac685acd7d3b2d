{{ config(
    scope_person='person_id',
    scope_date='observation_date',
    keeps_rows_in_scope=['person_id', 'observation_date'],
) }}
{{ fragments() }}
