{{ coded_events('devices', 'start_at', ['udi', 'stop_at'], "'Device'") }}
