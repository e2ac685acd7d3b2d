{{ coded_events('conditions', 'start_date', ['stop_date'], "'Condition'") }}
