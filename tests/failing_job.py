"""Dagster jobs: one fails each time, the others never do, and one of these is of a pool."""

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


@dg.op(pool="lake")
def wait_for_nobody() -> None:
    pass


@dg.job
def pooled() -> None:
    wait_for_nobody()
