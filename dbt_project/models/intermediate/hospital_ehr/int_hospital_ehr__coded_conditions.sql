{{ coded_events('conditions', "'SNOMED'", ['code', 'start_date'], ['Condition', 'Observation'], "'Condition'") }}
