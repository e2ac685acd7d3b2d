{{ coded_events(
    'observations',
    'event_at',
    ['value_text', 'unit', 'kind', 'category'],
    "case when category in ('vital-signs', 'laboratory', 'exam', 'imaging', 'procedure')"
    ~ " then 'Measurement' else 'Observation' end",
) }}
