"""Runs whose process is gone: failed at the next start, or by the running hub, so that nothing waits for them.

A pool counts runs that are not over (its granularity is the run), so that its place is free with that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster import DagsterEventType, DagsterInstance

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.processes import environment_of
from resources.hub import Hub
from resources.lake import remove_dead_spill
from resources.run_locks import forget_lock, is_worked_on
from sensors.runs import INTERRUPTED, UNFINISHED

SECONDS = 30
_HOME = b"DAGSTER_HOME="
Show = Callable[[dg.DagsterRun], None]
"""Makes the UI show what a run had done when it was killed."""
_STARTING = timedelta(minutes=5)
"""How long a run may take to say which process works on it; as long as Dagster gives a run to start."""


def interrupted_runs_sensor(datasets: Mapping[str, Dataset]) -> dg.SensorDefinition:
    """Ends runs that were killed while the hub runs, and finishes or undoes what they were doing.

    Dagster learns of the end of a run's process from the one that started it: where both are killed (no memory), or
    `hdh backfill` is, the run would keep its place of the pool, and every later one waiting, until the next start.
    """

    @dg.sensor(
        name="interrupted_runs",
        description="Runs whose process was killed: they are marked failed, and what they left is put right.",
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def interrupted(context: dg.SensorEvaluationContext, hub: Hub) -> dg.SkipReason:
        done = _put_right(hub.home, hub.settings, datasets)
        done += reap(hub.home, context.instance, _shows_loaded(context.instance, hub, datasets))
        for line in done:
            context.log.warning(line)
        return dg.SkipReason("; ".join(done) or "every run under way has its process")

    return interrupted


def clean_up(
    home: Home, settings: Settings, datasets: Mapping[str, Dataset], instance: DagsterInstance, *, keep_queued: bool
) -> list[str]:
    """At a start, bring Dagster's runs, spill files and the intake in line with reality; what was done, in words."""
    done = _put_right(home, settings, datasets)
    show = _shows_loaded(instance, Hub(folder=str(home.root)), datasets)
    return done + reap_at_start(home, instance, show, keep_queued=keep_queued)


def _put_right(home: Home, settings: Settings, datasets: Mapping[str, Dataset]) -> list[str]:
    from hdh_assets.sources.intake.recover import recover  # noqa: PLC0415

    remove_dead_spill(home)
    return recover(home, settings, datasets)


def _shows_loaded(instance: DagsterInstance, hub: Hub, datasets: Mapping[str, Dataset]) -> Show:
    """The UI is to show what a killed run had loaded; its receipts must have been written."""

    def show(run: dg.DagsterRun) -> None:
        from hdh_assets.sources.assets import show_loaded  # noqa: PLC0415

        show_loaded(instance, hub, datasets, run)

    return show


def _nothing(_: dg.DagsterRun) -> None:
    """What most runs had done and not shown."""


def reap_at_start(home: Home, instance: DagsterInstance, show: Show = _nothing, *, keep_queued: bool) -> list[str]:
    """Fail unfinished runs but those a command works on; with `keep_queued` those in the queue wait for the daemon.

    The home's lock is held and what a dead hub left was ended: no process of a hub can be at work, whatever has its
    number now. Such a run is no failure of its work.
    """
    done = []
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED)):
        if run.status is dg.DagsterRunStatus.QUEUED:
            if not keep_queued:
                instance.report_run_canceled(run, "left in the queue by a hub that stopped; asked for again when due")
                done.append(f"run {run.run_id[:8]}: taken out of the queue")
        elif not is_worked_on(home, run.run_id):
            done += _fail(home, instance, run.run_id, {INTERRUPTED: "the process was gone"}, show)
    return done


def reap(home: Home, instance: DagsterInstance, show: Show = _nothing) -> list[str]:
    """Fail runs of a running hub that no process works on any more.

    They count as failures: the hub did not end with them, so that their work may be what ended them.
    """
    return [
        line
        for record in instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED))
        if record.dagster_run.status is not dg.DagsterRunStatus.QUEUED and not _has_process(home, instance, record)
        for line in _fail(home, instance, record.dagster_run.run_id, {}, show)
    ]


def _fail(
    home: Home, instance: DagsterInstance, run_id: str, tags: Mapping[str, str], show: Show = _nothing
) -> list[str]:
    """Write the end of a run whose process is gone, unless it wrote one before it went.

    What it did is shown first: a kill in between leaves the run to be ended again.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return []
    show(run)
    if tags:
        instance.add_run_tags(run_id, dict(tags))
    instance.report_run_failed(run, "the process of this run is gone; what it had to do is asked for again")
    forget_lock(home, run_id)
    return [f"run {run_id[:8]}: its process is gone, marked failed"]


def _has_process(home: Home, instance: DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether a process works on the run, or may be about to."""
    run_id = record.dagster_run.run_id
    if (is_held := is_worked_on(home, run_id)) is not None:
        return is_held
    if not (processes := _processes(instance, run_id)):
        return datetime.now(UTC) - record.update_timestamp < _STARTING
    return any(_is_of(home, pid) for pid in processes - {os.getpid()})


def _is_of(home: Home, pid: int) -> bool:
    """Whether a process works with this home, however its path was written."""
    named = [os.fsdecode(entry[len(_HOME) :]) for entry in environment_of(pid) if entry.startswith(_HOME)]
    return any(Path(path).resolve() == home.dagster.resolve() for path in named)


def _processes(instance: DagsterInstance, run_id: str) -> set[int]:
    """Process ids that the run's events name."""
    found = set()
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.ENGINE_EVENT):
        data = entry.dagster_event.engine_event_data if entry.dagster_event else None
        pid = data.metadata.get("pid") if data else None
        if pid is not None and str(pid.value).isdigit():
            found.add(int(str(pid.value)))
    return found
