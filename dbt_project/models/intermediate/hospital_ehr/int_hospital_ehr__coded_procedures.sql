{{ coded_events(
    'procedures',
    "'SNOMED'",
    ['code', 'start_at'],
    ['stop_at', 'base_cost'],
    ['Procedure', 'Measurement', 'Observation'],
    "'Procedure'",
) }}
