"""Generators by the name a descriptor gives (`synth.generator`). A generator writes the files of one period."""

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

_GENERATORS: dict[str, Generator] = {}


def register(name: str) -> Callable[[Generator], Generator]:
    """Make a function the generator of that name."""

    def keep(generator: Generator) -> Generator:
        _GENERATORS[name] = generator
        return generator

    return keep


def find_generator(name: str) -> Generator:
    """The generator of that name, which a descriptor gave: one of `core/generators.py`."""
    return _GENERATORS[name]
