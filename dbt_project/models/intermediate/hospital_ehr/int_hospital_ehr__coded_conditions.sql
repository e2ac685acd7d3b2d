{{ coded_events(
    'conditions', "'SNOMED'", ['code', 'start_date'], ['stop_date'], ['Condition', 'Observation'], "'Condition'"
) }}
