{{ coded_events(
    'conditions', "'SNOMED'", 'start_date', ['stop_date'], ['Condition', 'Observation'], "'Condition'"
) }}
