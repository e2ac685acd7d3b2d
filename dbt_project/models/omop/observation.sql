{{ config(scope_person='person_id', scope_date='observation_date') }}
{{ fragments() }}
