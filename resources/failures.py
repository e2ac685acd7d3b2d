"""How a failure is told to Dagster: the sentence and the remedy of a `HubError`, and of anything else its kind alone.

Dagster keeps exceptions in its event log for everybody to read; an engine's message may quote a row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb

from hdh_assets.core.errors import HubError, disk_error, stop_behind
from resources.engine_errors import engine_failure


@contextmanager
def told_to_dagster() -> Iterator[None]:
    """Turn what is raised inside into a `dagster.Failure` that holds no row's value and no cause.

    A stop stays a stop, whatever it became on its way. With HDH_DEBUG set, unexpected exceptions pass unchanged: for
    synthetic data only.
    """
    try:
        yield
    except Exception as error:
        if stop := stop_behind(error):
            raise stop from None
        _tell(error)
        raise


def _tell(error: Exception) -> None:
    """Raise what may be kept of it; nothing is raised for what may pass as it is."""
    if isinstance(error, HubError):
        raise _failure(error) from None
    if isinstance(error, OSError):
        raise _failure(disk_error(error)) from None
    if isinstance(error, dg.Failure) or os.environ.get("HDH_DEBUG"):
        return
    if isinstance(error, duckdb.Error):
        raise _failure(engine_failure(error)) from None
    raise dg.Failure(
        description=f"unexpected {type(error).__name__}; nothing more is kept, as it could hold data",
        metadata={"what to do": "run again with HDH_DEBUG=1 on synthetic data"},
    ) from None


def _failure(error: HubError) -> dg.Failure:
    remedy = {"what to do": error.remedy} if error.remedy else {}
    return dg.Failure(description=error.message, metadata=remedy, allow_retries=False)
