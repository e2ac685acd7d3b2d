{{ coded_events('immunizations', "'CVX'", ['code', 'event_at'], ['Drug'], "'Drug'") }}
