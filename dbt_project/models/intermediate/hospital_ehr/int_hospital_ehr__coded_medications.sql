{{ coded_events(
    'medications', "'RxNorm'", ['code', 'start_at'], ['stop_at', 'base_cost', 'payer_coverage'], ['Drug'], "'Drug'"
) }}
