{{ config(scope_person='person_id', scope_date='note_date') }}
{{ fragments() }}
