"""What a delivery lost to oppositions, as counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeptOut:
    """Rows kept out of a delivery, and how many opposed persons they were about."""

    rows: int = 0
    persons: int = 0
