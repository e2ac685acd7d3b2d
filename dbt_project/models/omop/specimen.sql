{{ config(scope_person='person_id', scope_date='specimen_date') }}
{{ fragments() }}
