{{ coded_events('immunizations', "'CVX'", 'event_at', ['base_cost'], ['Drug'], "'Drug'") }}
