"""The hub's sources: one folder per family, one descriptor file per dataset, and the intake that serves them all."""
