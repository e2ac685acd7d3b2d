{{ config(scope_person='person_id', scope_date='visit_start_date') }}
{{ fragments() }}
