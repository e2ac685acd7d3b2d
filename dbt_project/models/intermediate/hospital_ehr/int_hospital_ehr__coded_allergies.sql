{{ coded_events(
    'allergies',
    "case when code_system = 'RxNorm' then 'RxNorm' else 'SNOMED' end",
    ['code', 'start_date'],
    ['Observation'],
    "'Observation'",
) }}
