"""What a generator of synthetic deliveries is asked for, and gives: the files of one period of one dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from hdh_assets.core.descriptor import Dataset


@dataclass(frozen=True)
class Order:
    """What one call makes: the files of a period of a dataset, in `folder`."""

    dataset: Dataset
    period: str
    persons: int
    seed: int
    folder: Path


Generator = Callable[[duckdb.DuckDBPyConnection, Order], dict[str, int]]
"""Writes the files of an order with a connection that holds the population; rows by file name."""
