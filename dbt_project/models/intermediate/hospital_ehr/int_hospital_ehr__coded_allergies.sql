{{ coded_events('allergies', 'start_date', ['kind', 'code_system'], "'Observation'") }}
