"""Runs whose process is gone: failed at the next start, so that nothing waits for them.

A pool counts runs that are not over (its granularity is the run), so that its place is free with that.
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
from dagster import DagsterEventType, DagsterInstance

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.one_hub import environment_of
from resources.lake import remove_dead_spill
from sensors.runs import INTERRUPTED, UNFINISHED


def clean_up(
    home: Home, settings: Settings, datasets: Mapping[str, Dataset], instance: DagsterInstance, *, keep_queued: bool
) -> list[str]:
    """Bring Dagster's runs, spill files and the intake in line with reality after a crash; what was done, in words."""
    from hdh_assets.sources.intake.recover import recover  # noqa: PLC0415

    remove_dead_spill(home)
    return reap(home, instance, keep_queued=keep_queued) + recover(home, settings, datasets)


def reap(home: Home, instance: DagsterInstance, *, keep_queued: bool) -> list[str]:
    """Fail unfinished runs that no process works on; with `keep_queued` those in the queue wait for the daemon."""
    done = []
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED)):
        if run.status is dg.DagsterRunStatus.QUEUED:
            if not keep_queued:
                instance.report_run_canceled(run, "left in the queue by a hub that stopped; asked for again when due")
                done.append(f"run {run.run_id[:8]}: taken out of the queue")
        elif not _is_alive(home, instance, run.run_id):
            instance.add_run_tags(run.run_id, {INTERRUPTED: "the process was gone"})
            instance.report_run_failed(run, "the process of this run is gone; what it had to do is asked for again")
            done.append(f"run {run.run_id[:8]}: its process is gone, marked failed")
    return done


def _is_alive(home: Home, instance: DagsterInstance, run_id: str) -> bool:
    mark = f"DAGSTER_HOME={home.dagster}".encode()
    return any(mark in environment_of(pid) for pid in _processes(instance, run_id))


def _processes(instance: DagsterInstance, run_id: str) -> set[int]:
    """Process ids that the run's events name."""
    found = set()
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.ENGINE_EVENT):
        data = entry.dagster_event.engine_event_data if entry.dagster_event else None
        pid = data.metadata.get("pid") if data else None
        if pid is not None and str(pid.value).isdigit():
            found.add(int(str(pid.value)))
    return found
