{{ config(scope_person='person_id', scope_date='drug_exposure_start_date') }}
{{ fragments() }}
