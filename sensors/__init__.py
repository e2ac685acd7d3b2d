"""Sensors and schedules: thin shells that read the present state, let a pure function decide, and ask for runs."""
