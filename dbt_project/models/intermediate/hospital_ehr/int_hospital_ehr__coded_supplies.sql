{{ coded_events('supplies', "'SNOMED'", ['code', 'event_date'], ['quantity'], ['Device'], "'Device'") }}
