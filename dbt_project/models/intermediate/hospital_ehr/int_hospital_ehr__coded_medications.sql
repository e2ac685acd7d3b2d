{{ coded_events('medications', "'RxNorm'", ['code', 'start_at'], ['Drug'], "'Drug'") }}
