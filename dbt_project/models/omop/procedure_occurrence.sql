{{ config(scope_person='person_id', scope_date='procedure_date') }}
{{ fragments() }}
