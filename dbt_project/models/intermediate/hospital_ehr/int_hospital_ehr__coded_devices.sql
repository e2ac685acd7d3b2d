{{ coded_events('devices', "'SNOMED'", ['code', 'start_at', 'udi'], ['stop_at'], ['Device'], "'Device'") }}
