"""Taking periods in again: which ones, and where a stopped backfill was. No Dagster here.

The plan of an unfinished backfill is a file of the home; asking for the same periods again goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import HubError
from hdh_assets.core.files import write_atomically
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.processes import end
from hdh_assets.definitions.instance import prepare_instance

_RESUMED_WITHIN = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """Periods of one dataset to take in again, and those done so far."""

    dataset: str
    description: str
    """Digest of the dataset's description: periods done under another one have to be done again."""
    begun_at: datetime
    periods: tuple[str, ...]
    done: tuple[str, ...] = ()

    @property
    def left(self) -> tuple[str, ...]:
        """Periods still to do, in order."""
        return tuple(period for period in self.periods if period not in self.done)


class BackfillError(HubError):
    """A period could not be taken in again; the ones before it were."""


def plan_of(dataset: Dataset, periods: tuple[str, ...]) -> Plan:
    """Nothing done yet of these periods, under the description of today."""
    content = json.dumps(dataset.model_dump(mode="json"), sort_keys=True)
    return Plan(dataset.id, hashlib.sha256(content.encode()).hexdigest(), datetime.now(UTC), periods)


def resume(home: Home, plan: Plan, *, force: bool = False) -> Plan:
    """The unfinished plan for the same periods, when there is one; else `plan`, from the start. `force` starts anew.

    So does another description of the dataset, and a plan that was begun more than a day ago: a backup may have been
    restored since, and what was done be undone.
    """
    kept = None if force else _kept(home, plan.dataset)
    if kept is None or (kept.periods, kept.description) != (plan.periods, plan.description):
        return plan
    return kept if plan.begun_at - kept.begun_at < _RESUMED_WITHIN else plan


def run_plan(home: Home, settings: Settings, plan: Plan) -> Generator[dict[str, Any], None, None]:
    """Take each period left in again, in a process of the trusted third party; what each run did, as it ends.

    Close it when you leave before its end: the run under way is then interrupted. Raises `BackfillError` at the first
    run that fails; the plan is kept, so that asking again goes on from there. So it does, before anything, while
    another process takes periods of that dataset in again.
    """
    file = _file(home, plan.dataset)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file.with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BackfillError(
            f"another `hdh backfill` of {plan.dataset} is under way", remedy="wait for its end, then ask again"
        ) from None
    try:
        yield from _run(home, settings, plan)
    finally:
        lock.release()


def _run(home: Home, settings: Settings, plan: Plan) -> Generator[dict[str, Any], None, None]:
    environment = os.environ | prepare_instance(home, settings)
    module, parent = "hdh_assets.definitions.backfill_child", str(os.getpid())
    command = [sys.executable, "-m", module, parent, plan.dataset, *plan.left]
    log = home.dagster / "backfill.log"
    _keep(home, plan)
    with _started(command, environment, log) as child:
        for line in child.stdout or ():
            answer = json.loads(line)
            if not answer["success"]:
                raise BackfillError(
                    f"{answer['what']}: {answer['problem']}",
                    remedy="remove the cause, then ask again: it goes on from this period",
                )
            plan = replace(plan, done=(*plan.done, answer["period"]))
            _keep(home, plan)
            yield answer
    if plan.left:
        raise BackfillError("the backfill stopped before its end", remedy=f"read {log}, then ask again: it goes on")
    _file(home, plan.dataset).unlink(missing_ok=True)


@contextmanager
def _started(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """The process, ended on leaving: a run it is in is interrupted, so that Dagster writes the run's end.

    A run that nobody ended keeps its place of the pool from all that comes later.
    """
    with log.open("wb") as errors:
        # a session of its own: the Ctrl-C of a terminal would reach it beside ours, and break what the first one began
        child = subprocess.Popen(
            command,
            env=environment,
            cwd=log.parent,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        with child.stdout or nullcontext():
            yield child
            child.wait()  # its output ended, or what it said last was a failure: it ends by itself
    finally:
        end(child)


def periods_known(home: Home, dataset: Dataset, delivered: set[str]) -> set[str]:
    """Periods there is something of: delivered once, or waiting in the inbox."""
    inbox = home.inbox / dataset.producer.id / dataset.id
    waiting = {path.name for path in inbox.iterdir() if (path / "manifest.json").exists()} if inbox.is_dir() else set()
    return delivered | waiting


def _keep(home: Home, plan: Plan) -> None:
    content = asdict(plan) | {"begun_at": plan.begun_at.isoformat()}
    write_atomically(_file(home, plan.dataset), json.dumps(content).encode())


def _kept(home: Home, dataset: str) -> Plan | None:
    """The plan that was not finished; None when there is none of this version of the hub."""
    try:
        kept = json.loads(_file(home, dataset).read_text("utf-8"))
        begun_at = datetime.fromisoformat(kept["begun_at"])
        return Plan(dataset, kept["description"], begun_at, tuple(kept["periods"]), tuple(kept["done"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _file(home: Home, dataset: str) -> Path:
    return home.dagster / "backfills" / f"{dataset}.json"
