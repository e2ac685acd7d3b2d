"""Keeping opposed persons out of the delivered tables, from which everything else is made. Trusted third party only."""
