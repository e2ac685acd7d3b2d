{{ coded_events('devices', "'SNOMED'", ['code', 'start_at', 'udi'], ['Device'], "'Device'") }}
