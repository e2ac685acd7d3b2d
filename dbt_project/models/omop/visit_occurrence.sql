{{ config(
    scope_person='person_id',
    scope_date='visit_start_date',
    keeps_rows_in_scope=['person_id', 'visit_start_date', 'visit_end_date'],
) }}
{{ fragments() }}
