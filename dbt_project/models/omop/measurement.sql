{{ config(
    scope_person='person_id',
    scope_date='measurement_date',
    keeps_rows_in_scope=['person_id', 'measurement_date'],
) }}
{{ fragments() }}
