{{ coded_events('procedures', 'start_at', ['stop_at', 'base_cost'], "'Procedure'") }}
