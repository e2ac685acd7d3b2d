"""What touches the outside: lake, vault, registry, keys, inbox. Plain objects; Dagster wraps them elsewhere."""
