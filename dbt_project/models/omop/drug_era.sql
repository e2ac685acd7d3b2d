{{ config(scope_person='person_id') }}
{{ fragments() }}
