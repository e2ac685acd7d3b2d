{{ config(scope_person='person_id', scope_date='visit_detail_start_date') }}
{{ fragments() }}
