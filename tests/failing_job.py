"""Two Dagster jobs: one fails each time, the other never does."""

from __future__ import annotations

import dagster as dg


@dg.op
def fail() -> None:
    raise ValueError("broken")


@dg.job
def failing() -> None:
    fail()


@dg.op
def do_nothing() -> None:
    pass


@dg.job
def succeeding() -> None:
    do_nothing()
