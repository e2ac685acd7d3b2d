"""Words every part of the hub shares: descriptors, asset keys, homes, errors. Pure Python, no Dagster, no engine."""
