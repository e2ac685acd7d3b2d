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
from hdh_assets.core.home import Home, Settings
from resources.databases import claim_storage
from resources.postgres import connection_error

_OF_A_STORAGE = frozenset({"OperationalError", "InterfaceError", "DBAPIError", "DagsterPostgresException"})
"""Errors that only Dagster's storage leaves as they are: those of the hub's own databases are told in words."""


@contextmanager
def opened_instance(home: Home) -> Iterator[DagsterInstance]:
    """The instance of this home (`DAGSTER_HOME` must say so), its storage created when it was not there.

    Raises `HubError` when its PostgreSQL does not answer, or does not let the hub in, `ConfigurationError` when it is
    another hub's.
    """
    claim_storage(home, Settings.load(home))
    with FileLock(home.dagster / "storage.lock"):
        try:
            instance = DagsterInstance.get()
            instance.get_runs(limit=1)
            instance.event_log_storage.get_maximum_record_id()
            instance.all_instigator_state()
        except Exception as error:
            if not _is_unanswered(error):
                raise
            behind = error.__cause__ or error
            raise connection_error("Dagster's storage", "dagster_postgres", str(behind)) from None
    with instance:
        yield instance


def failed_within(kind: str) -> HubError | None:
    """What to say of a run that an error of that class ended, where it is the storage's; None for any other."""
    if kind not in _OF_A_STORAGE:
        return None
    return HubError(
        f"Dagster's storage failed while it ran ({kind})",
        remedy="start the PostgreSQL of dagster_postgres, or free space in the home; what was due stays due",
    )


def _is_unanswered(error: Exception) -> bool:
    """Whether dagster-postgres gave up; it takes a second to import, and only such a home has done so."""
    module = sys.modules.get("dagster_postgres.utils")
    return module is not None and isinstance(error, module.DagsterPostgresException)
