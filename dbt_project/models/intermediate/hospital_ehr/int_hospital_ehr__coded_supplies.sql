{{ coded_events('supplies', "'SNOMED'", 'event_date', ['quantity'], ['Device'], "'Device'") }}
