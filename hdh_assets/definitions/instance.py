"""Dagster's own settings: `dagster.yaml` in the home, and the environment every Dagster process needs.

Nothing is kept outside the home and nothing is sent anywhere.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import yaml

from hdh_assets.core.files import write_atomically
from hdh_assets.core.home import Home, Settings

_HEADER = "# Written by `hdh init` and refreshed by `hdh up` and `hdh tick` from hdh.toml; changes here are lost.\n"
_WRITERS_WITH_POSTGRES = 4
_RUNS_AT_ONCE = 4
_THIS_MACHINE = "127.0.0.1,localhost"
_KEPT_DAYS = {"skipped": 2, "success": 14, "failure": 30, "started": -1}


def dagster_yaml(settings: Settings) -> str:
    """The content of `dagster.yaml` for these settings."""
    writers = _WRITERS_WITH_POSTGRES if settings.lake_catalog else 1
    content: dict[str, Any] = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "concurrency": {
            "pools": {"default_limit": writers, "granularity": "run"},
            "runs": {"max_concurrent_runs": _RUNS_AT_ONCE},
        },
        # while a code location is loaded again its server does not answer: a run of the queue then waits, five minutes
        # at most; by default it is dropped
        "run_queue": {"max_user_code_failure_retries": 30, "user_code_failure_retry_delay": 10},
        "run_monitoring": {"enabled": True, "start_timeout_seconds": 300, "poll_interval_seconds": 30},
        "retention": {
            "sensor": {"purge_after_days": _KEPT_DAYS},
            "schedule": {"purge_after_days": _KEPT_DAYS},
        },
    }
    if settings.dagster_postgres:
        content["storage"] = {"postgres": {"postgres_url": _with_driver(settings.dagster_postgres)}}
    return _HEADER + yaml.safe_dump(content, sort_keys=False)


def _with_driver(address: str) -> str:
    """The address with the driver `dagster-postgres` is written for; SQLAlchemy's default is another."""
    return address.replace("postgresql://", "postgresql+psycopg2://", 1)


def prepare_instance(home: Home, settings: Settings) -> dict[str, str]:
    """Bring `dagster.yaml` up to date and give the environment of a Dagster process on this home.

    Everything Dagster keeps by default (runs, events, logs, artifacts) then goes under `$HDH_HOME/dagster`. Such a
    process is started in that folder, too: Python, and Dagster by itself, import from the one they are started in,
    where anybody may have put a module of the name of one of ours.
    """
    home.dagster.mkdir(parents=True, exist_ok=True)
    wanted, path = dagster_yaml(settings), home.dagster / "dagster.yaml"
    if not path.exists() or path.read_text("utf-8") != wanted:
        write_atomically(path, wanted.encode("utf-8"), 0o600, is_durable=False)
    return {
        "HDH_HOME": str(home.root),
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",
        "PATH": _path(),
        "no_grpc_proxy": _no_proxy(),
    }


def _path() -> str:
    """PATH with the folder of this Python first: `dagster` and `dbt` are found there."""
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))


def _no_proxy() -> str:
    """Where gRPC uses no proxy: by one, Dagster's processes would not reach each other on this machine.

    In gRPC's own variable: `no_proxy` may say `*`, which gRPC takes for a name, and others do when more follows.
    """
    names = ("no_grpc_proxy", "no_proxy", "NO_PROXY")
    said = next((value for name in names if (value := os.environ.get(name))), None)
    return f"{said},{_THIS_MACHINE}" if said else _THIS_MACHINE
