"""What Dagster is told of a failure, and that a stop stays a stop."""

from __future__ import annotations

import os
import signal
import threading

import dagster as dg
import duckdb
import pyarrow as pa
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._utils.interrupts import capture_interrupts, raise_interrupts_as

from hdh_assets.core.errors import HubError
from resources.failures import told

QUERY = "SELECT sum(hash(range)) FROM range(20000000)"


def test_a_stop_in_a_query_is_told_as_a_stop_though_the_engine_makes_an_error_of_it() -> None:
    with duckdb.connect() as engine, capture_interrupts(), raise_interrupts_as(DagsterExecutionInterruptedError):
        threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
        with pytest.raises(DagsterExecutionInterruptedError), told():
            for _ in range(1000):  # the engine does not look for signals in every query
                engine.execute(QUERY)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, DagsterExecutionInterruptedError])
def test_a_stop_in_a_function_that_a_query_calls_is_told_as_a_stop(stop: type[BaseException]) -> None:
    def stopped(_: pa.Array) -> pa.Array:
        raise stop

    with duckdb.connect() as engine:
        engine.create_function("stopped", stopped, ["BIGINT"], "BIGINT", type="arrow")
        with pytest.raises(KeyboardInterrupt), told():
            engine.execute("SELECT stopped(range) FROM range(10)").fetchall()


def test_a_stop_is_told_as_a_stop_when_undoing_it_fails() -> None:
    with pytest.raises(KeyboardInterrupt), told():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise HubError("the disk refused a write", remedy="free space") from None


def test_an_unexpected_error_is_told_by_its_kind_alone() -> None:
    with pytest.raises(dg.Failure, match="unexpected ValueError") as failure, told():
        raise ValueError("185059912345671")
    assert "185059912345671" not in str(failure.value.description)
    assert failure.value.__cause__ is None


def test_an_error_of_the_hub_is_told_with_its_remedy() -> None:
    with pytest.raises(dg.Failure, match="no such permit") as failure, told():
        raise HubError("no such permit", remedy="grant it")
    assert failure.value.metadata["what to do"].value == "grant it"
