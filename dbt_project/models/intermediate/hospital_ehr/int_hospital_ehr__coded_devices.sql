{{ coded_events('devices', "'SNOMED'", 'start_at', ['udi', 'stop_at'], ['Device'], "'Device'") }}
