{{ coded_events('supplies', "'SNOMED'", ['code', 'event_date'], ['Device'], "'Device'") }}
