{{ coded_events('allergies', 'start_date', ['kind'], "'Observation'") }}
