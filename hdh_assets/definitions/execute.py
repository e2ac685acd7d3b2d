"""Running a request of a sensor, or of a person, in this process; and saying what came of it in plain values."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import CODE_LOCATION_TAG, REPOSITORY_LABEL_TAG
from dagster._core.utils import make_new_run_id
from dagster_shared.error import SerializableErrorInfo

from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.storage import failed_within
from resources.ledger import Ledger
from resources.run_locks import working_on

_QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def execute(
    home: Home, repository: dg.RepositoryDefinition, location: str, instance: dg.DagsterInstance, request: dg.RunRequest
) -> dict[str, Any]:
    """Run it to its end; the run's id, what it was about, whether it succeeded and, if not, what it said.

    The repository is that of the code location named.
    """
    started = datetime.now(UTC)
    job = repository.get_job(str(request.job_name))
    place = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), repository.name)
    run_id = make_new_run_id()
    with working_on(home, run_id):
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            partition_key=request.partition_key,
            tags=_place_tags(place) | dict(request.tags),
            asset_selection=list(request.asset_selection) if request.asset_selection else None,
            run_config=_QUIET | dict(request.run_config),
            raise_on_error=False,
        )
    _place(place, instance, result.run_id)
    return {
        "run": result.run_id,
        "what": describe(request),
        "success": result.success,
        "problem": "" if result.success else _problem(result),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 2),
    }


def refused_by(home: Home, settings: Settings, run_id: str) -> list[dict[str, str]]:
    """The deliveries an intake run refused, which is no failure of the run: each with its receipt."""
    return [
        {
            "dataset": each.dataset,
            "period": each.period,
            "receipt": str(home.root / Path(each.receipt_path or "").with_suffix(".md")),
        }
        for each in Ledger(home, settings).refusals(run_id)
    ]


def _place_tags(place: RemoteRepositoryOrigin) -> dict[str, str]:
    """What Dagster tags runs with that its daemon starts: the UI lists the runs of a job by it."""
    return {REPOSITORY_LABEL_TAG: place.get_label(), CODE_LOCATION_TAG: place.code_location_origin.location_name}


def _place(place: RemoteRepositoryOrigin, instance: dg.DagsterInstance, run_id: str) -> None:
    """Say where the run's job is: without it the UI cannot start the run again."""
    if run := instance.get_run_by_id(run_id):
        instance.run_storage.replace_job_origin(run, RemoteJobOrigin(place, run.job_name))


def describe(request: dg.RunRequest) -> str:
    """What the run is about, in a few words."""
    tags = request.tags
    match tags.get("hdh/work"):
        case "intake" if "hdh/dataset" in tags:
            last = tags.get("dagster/asset_partition_range_end")
            first = request.partition_key or tags.get("dagster/asset_partition_range_start")
            return f"take in {tags['hdh/dataset']} {first}" + (f" to {last}" if last else "")
        case "intake":
            return "answer a delivery without a place"
        case "backfill":
            return f"take in {tags['hdh/dataset']} {request.partition_key}"
        case "standardise":
            return "standardise, release, describe"
        case "opposition":
            return "keep out persons who objected"
        case "withdrawal":
            return "withdraw extracts"
        case "extract":
            return f"extract of {tags['hdh/project']}"
        case _:
            return str(request.job_name)


def _problem(result: dg.ExecuteInProcessResult) -> str:
    """What the first failed step said: messages of this hub only, see `resources/failures.py`."""
    if failed := list(filter(_stops, result.get_asset_check_evaluations())):
        return f"blocking checks failed, so nothing is released: {', '.join(sorted(map(_told, failed)))}"
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                remedy = data.user_failure_data.metadata.get("what to do")
                return data.user_failure_data.description + (f"; {remedy.value}" if remedy else "")
            return _told_kind(data.error)
    return "failed before its first step"


def _told_kind(error: SerializableErrorInfo | None) -> str:
    """An error that said nothing of its own: by its class, or by that of the storage's error behind it."""
    behind = error
    while behind is not None:
        if failure := failed_within(str(behind.cls_name)):
            return f"{failure.message}; {failure.remedy}"
        behind = behind.cause
    return str(error.cls_name) if error else "failed"


def _stops(check: dg.AssetCheckEvaluation) -> bool:
    return bool(check.blocking) and not check.passed and check.severity is dg.AssetCheckSeverity.ERROR


def _told(check: dg.AssetCheckEvaluation) -> str:
    rows = check.metadata.get("rows concerned")
    return f"{check.check_name} of {check.asset_key.to_user_string()}" + (f" ({rows.value})" if rows else "")
