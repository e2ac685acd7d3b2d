{{ coded_events(
    'medications', "'RxNorm'", 'start_at', ['stop_at', 'base_cost', 'payer_coverage'], ['Drug'], "'Drug'"
) }}
