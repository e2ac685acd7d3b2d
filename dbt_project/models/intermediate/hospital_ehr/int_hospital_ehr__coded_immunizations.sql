{{ coded_events('immunizations', 'event_at', ['base_cost'], "'Drug'") }}
