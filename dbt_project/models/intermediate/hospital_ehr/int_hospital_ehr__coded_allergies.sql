{{ coded_events(
    'allergies',
    "case when code_system = 'RxNorm' then 'RxNorm' else 'SNOMED' end",
    'start_date',
    ['kind'],
    ['Observation'],
    "'Observation'",
) }}
