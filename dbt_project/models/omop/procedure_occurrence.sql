{{ config(
    scope_person='person_id',
    scope_date='procedure_date',
    keeps_rows_in_scope=['person_id', 'procedure_date'],
) }}
{{ fragments() }}
