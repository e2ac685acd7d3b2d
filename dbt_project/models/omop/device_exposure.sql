{{ config(
    scope_key='device_exposure_id',
    scope_person='person_id',
    scope_date='care_date',
    keeps_rows_in_scope=['person_id', 'care_date', 'device_exposure_start_date'],
) }}
{# A device may begin on another day than the care it came with: the fragments give `care_date` beside, for the scope. #}
{{ fragments(beside={'care_date': 'date'}) }}
