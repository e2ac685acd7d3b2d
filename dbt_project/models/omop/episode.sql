{{ config(scope_person='person_id', scope_date='episode_start_date') }}
{{ fragments() }}
