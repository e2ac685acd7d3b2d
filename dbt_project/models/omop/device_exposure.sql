{{ config(scope_person='person_id', scope_date='device_exposure_start_date') }}
{{ fragments() }}
