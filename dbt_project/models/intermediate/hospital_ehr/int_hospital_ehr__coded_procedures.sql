{{ coded_events(
    'procedures',
    "'SNOMED'",
    ['code', 'start_at'],
    ['Procedure', 'Measurement', 'Observation'],
    "'Procedure'",
) }}
