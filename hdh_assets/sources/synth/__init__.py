"""Synthetic deliveries in the producers' true formats: seeded, set-based, the same bytes whenever they are asked again.

`generate.generate` is the way in. It names the generators; each makes the files of one period of one
dataset from the same population (`population.py`), in DuckDB SQL with `hash` as the only randomness. Nothing here
checks a delivery: that is the intake's work, and it trusts these files no more than others.
"""
