"""What Dagster is told of a failure, and that a stop stays a stop."""

from __future__ import annotations

import errno
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
from resources.failures import told_to_dagster

QUERY = "SELECT sum(hash(range)) FROM range(20000000)"


def test_a_stop_in_a_query_is_told_as_a_stop_though_the_engine_makes_an_error_of_it() -> None:
    with duckdb.connect() as engine, capture_interrupts(), raise_interrupts_as(DagsterExecutionInterruptedError):
        threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
        with pytest.raises(DagsterExecutionInterruptedError), told_to_dagster():
            for _ in range(1000):  # the engine does not look for signals in every query
                engine.execute(QUERY)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, DagsterExecutionInterruptedError])
def test_a_stop_in_a_function_that_a_query_calls_is_told_as_a_stop(stop: type[BaseException]) -> None:
    def stopped(_: pa.Array) -> pa.Array:
        raise stop

    with duckdb.connect() as engine:
        engine.create_function("stopped", stopped, ["BIGINT"], "BIGINT", type="arrow")
        with pytest.raises(KeyboardInterrupt), told_to_dagster():
            engine.execute("SELECT stopped(range) FROM range(10)").fetchall()


def test_a_stop_is_told_as_a_stop_when_undoing_it_fails() -> None:
    with pytest.raises(KeyboardInterrupt), told_to_dagster():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise HubError("the disk refused a write", remedy="free space") from None


def test_an_unexpected_error_is_told_by_its_kind_alone() -> None:
    with pytest.raises(dg.Failure, match="unexpected ValueError") as failure, told_to_dagster():
        raise ValueError("185059912345671")
    assert "185059912345671" not in str(failure.value.description)
    assert failure.value.__cause__ is None


def test_an_error_of_the_hub_is_told_with_its_remedy() -> None:
    with pytest.raises(dg.Failure, match="no such permit") as failure, told_to_dagster():
        raise HubError("no such permit", remedy="grant it")
    assert failure.value.metadata["what to do"].value == "grant it"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT list(range) FROM range(200000000)", "which gives it 47.6 MiB now"),
        ("CREATE TABLE much AS SELECT hash(range)::VARCHAR AS h FROM range(5000000)", "raise memory_limit as far"),
        ("SELECT 'secret'::INTEGER", "neither disk nor memory is short"),
        ("SELECT nothing", "neither disk nor memory is short"),
    ],
)
def test_what_the_engine_could_not_do_is_told_with_what_helps(query: str, said: str) -> None:
    with duckdb.connect(config={"memory_limit": "50MB", "threads": 1}) as engine:
        engine.execute("SET max_temp_directory_size = '0KiB'")
        with pytest.raises(dg.Failure, match="the engine stopped") as failure, told_to_dagster():
            engine.execute(query).fetchall()
    remedy = str(failure.value.metadata["what to do"].value)
    assert said in remedy
    assert "secret" not in f"{failure.value.description} {remedy}"


def test_a_process_that_cannot_be_started_is_not_told_as_a_disk_that_refuses() -> None:
    with pytest.raises(dg.Failure, match="start a process or a thread") as failure, told_to_dagster():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    assert "ulimit -u" in str(failure.value.metadata["what to do"].value)
