"""Opening Dagster's storage: one process at a time.

Two processes that create the SQLite files at the same moment leave them without a usable version.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import DagsterInstance
from filelock import FileLock

from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home


@contextmanager
def opened_instance(home: Home) -> Iterator[DagsterInstance]:
    """The instance of this home (`DAGSTER_HOME` must say so), its storage created when it was not there.

    Raises `HubError` when its PostgreSQL does not answer.
    """
    with FileLock(home.dagster / "storage.lock"):
        try:
            instance = DagsterInstance.get()
            instance.get_runs(limit=1)
            instance.event_log_storage.get_maximum_record_id()
            instance.all_instigator_state()
        except Exception as error:
            if not _is_unanswered(error):
                raise
            raise HubError(
                "Dagster's storage in PostgreSQL does not answer",
                remedy="start PostgreSQL, or correct dagster_postgres; what was due stays due",
            ) from None
    with instance:
        yield instance


def _is_unanswered(error: Exception) -> bool:
    """Whether dagster-postgres gave up; it takes a second to import, and only such a home has done so."""
    module = sys.modules.get("dagster_postgres.utils")
    return module is not None and isinstance(error, module.DagsterPostgresException)
