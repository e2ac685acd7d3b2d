"""A Dagster job that fails each time."""

from __future__ import annotations

import dagster as dg


@dg.op
def fail() -> None:
    raise ValueError("broken")


@dg.job
def failing() -> None:
    fail()
