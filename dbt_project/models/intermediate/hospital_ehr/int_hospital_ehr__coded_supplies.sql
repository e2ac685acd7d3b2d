{{ coded_events('supplies', 'event_date', ['quantity'], "'Device'") }}
