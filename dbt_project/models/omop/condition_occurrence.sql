{{ config(scope_person='person_id', scope_date='condition_start_date') }}
{{ fragments() }}
