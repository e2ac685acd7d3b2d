{{ coded_events(
    'procedures',
    "'SNOMED'",
    'start_at',
    ['stop_at', 'base_cost'],
    ['Procedure', 'Measurement', 'Observation'],
    "'Procedure'",
) }}
