{{ coded_events('immunizations', "'CVX'", ['code', 'event_at'], ['base_cost'], ['Drug'], "'Drug'") }}
