"""One code location of `hdh tick`, in a process of its own: `python -m hdh_assets.definitions.tick_child LOCATION`.

Loads the definitions once, then for each line on standard input evaluates every sensor and schedule and runs what is
due, in this process, until nothing is. Answers with JSON lines on standard output; the end of the input ends it.
"""

from __future__ import annotations

import importlib
import json
import select
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.due_schedules import is_due
from hdh_assets.definitions.execute import execute, refused_by
from hdh_assets.definitions.locations import TRUSTED_THIRD_PARTY
from hdh_assets.definitions.storage import opened_instance
from resources.engine_errors import outside_failure
from sensors.runs import WAITS


class Round:
    """The sensors of one location, evaluated against one instance. What failed once is not tried again here."""

    def __init__(self, home: Home, location: str, instance: dg.DagsterInstance) -> None:
        module = importlib.import_module(f"hdh_assets.definitions.{location}")
        self._home, self._location, self._instance = home, location, instance
        self._settings = Settings.load(home)
        self._repository = module.defs().get_repository_def()
        self._failed: set[str] = set()
        self.postponed: list[str] = []
        """What the sensors said last of work that waits."""

    def until_nothing_is_due(self) -> Iterator[dict[str, Any]]:
        """Run what is due; what each run did."""
        while requests := [r for r in self._requests() if _work(r) not in self._failed]:
            for request in requests:
                done = execute(self._home, self._repository, self._location, self._instance, request)
                if self._location == TRUSTED_THIRD_PARTY:
                    done["refused"] = refused_by(self._home, self._settings, done["run"])
                if not done["success"]:
                    self._failed.add(_work(request))
                yield done
                if _is_over():
                    return

    def _requests(self) -> list[dg.RunRequest]:
        resources = self._repository.get_top_level_resources()
        found: list[dg.RunRequest] = []
        self.postponed = []
        for sensor in self._repository.sensor_defs:
            with dg.build_sensor_context(
                instance=self._instance,
                repository_def=self._repository,
                sensor_name=sensor.name,
                resources=resources,
            ) as context:
                tick = sensor.evaluate_tick(context)
            asked = tick.run_requests or ()
            found += [request if request.job_name else _named(request, sensor.job_name) for request in asked]
            if tick.skip_message and any(words in tick.skip_message for words in WAITS):
                self.postponed.append(f"{sensor.name}: {tick.skip_message}")
        for schedule in self._repository.schedule_defs:
            if is_due(self._instance, schedule, datetime.now(UTC)):
                found.append(_named(dg.RunRequest(run_key=f"{schedule.name}:0"), schedule.job_name))
        return found


def _named(request: dg.RunRequest, job: str) -> dg.RunRequest:
    return request.with_replaced_attrs(job_name=job)


def _work(request: dg.RunRequest) -> str:
    """Names the work whatever the attempt."""
    return str(request.run_key).rpartition(":")[0]


def _is_over() -> bool:
    """Whether the input was closed: within a round there is nothing else to read."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def _say(kind: str, **content: Any) -> None:
    sys.__stdout__.write(json.dumps({"kind": kind, **content}) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def main(location: str) -> int:
    """Serve rounds until the input ends; 1 when the location cannot be loaded."""
    home = Home.resolve()
    sys.stdout = sys.stderr  # whatever libraries print must not mix with the answers
    try:
        with opened_instance(home) as instance:
            if location == TRUSTED_THIRD_PARTY:
                from sensors.reaper import clean_up  # noqa: PLC0415

                settings = Settings.load(home)
                for line in clean_up(home, settings, load_datasets(home), instance, keep_queued=False):
                    _say("repaired", what=line)
            rounds = Round(home, location, instance)
            _say("ready")
            for _ in sys.stdin:
                for done in rounds.until_nothing_is_due():
                    _say("ran", **done)
                _say("idle", postponed=rounds.postponed)
    except Exception as error:
        if not (told := error if isinstance(error, HubError) else outside_failure(error)):
            raise
        _say("error", message=told.message, remedy=told.remedy)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
