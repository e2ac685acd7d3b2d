{{ config(scope_person='person_id', person_alone=true) }}
{{ one_per_person() }}
