"""Opening Dagster's storage: one process at a time.

Two processes that create the SQLite files at the same moment leave them without a usable version.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import DagsterInstance
from filelock import FileLock

from hdh_assets.core.home import Home


@contextmanager
def opened_instance(home: Home) -> Iterator[DagsterInstance]:
    """The instance of this home (`DAGSTER_HOME` must say so), its storage created when it was not there."""
    with FileLock(home.dagster / "storage.lock"):
        instance = DagsterInstance.get()
        instance.get_runs(limit=1)
        instance.event_log_storage.get_maximum_record_id()
        instance.all_instigator_state()
    with instance:
        yield instance
