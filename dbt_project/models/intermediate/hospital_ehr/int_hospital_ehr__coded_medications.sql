{{ coded_events('medications', 'start_at', ['stop_at', 'base_cost', 'payer_coverage'], "'Drug'") }}
