{{ config(scope_person='person_id') }}
{{ one_per_person() }}
