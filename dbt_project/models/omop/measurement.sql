{{ config(scope_person='person_id', scope_date='measurement_date') }}
{{ fragments() }}
