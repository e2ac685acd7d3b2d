"""One tick without a daemon: a process per code location, rounds until neither has anything due. No Dagster here.

Both processes load at once; then the trusted third party works, then the hub, until both are idle in one round.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.processes import die_with_parent, end
from hdh_assets.definitions.instance import prepare_instance
from hdh_assets.definitions.locations import locations
from hdh_assets.definitions.one_hub import STACK

OnAnswer = Callable[[str, dict[str, Any]], None]


@dataclass
class Tick:
    """What a tick did."""

    repaired: list[str] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)
    """What waits: it failed too often too lately, its period has not begun, or a descriptor is wrong."""

    @property
    def refused(self) -> list[dict[str, str]]:
        """Deliveries that were answered with a refusal, each with its receipt."""
        return [each for run in self.runs for each in run.get("refused", ())]

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Runs that failed."""
        return [run for run in self.runs if not run["success"]]


class LocationError(HubError):
    """A code location could not be loaded or stopped unexpectedly."""


class LocationDiedError(LocationError):
    """A code location was killed, or did not survive a run."""


class _Child:
    """A code location in a process of its own."""

    def __init__(self, name: str, process: subprocess.Popen[str], log: Path) -> None:
        self.name, self._process, self._log = name, process, log
        self.postponed: list[str] = []

    def answers(self, last: str) -> Iterator[dict[str, Any]]:
        """Answers before the one of that kind. Raises `LocationError` when it says so or dies."""
        for line in self._process.stdout or ():
            answer = json.loads(line)
            if answer["kind"] == "error":
                raise LocationError(answer["message"], remedy=answer["remedy"])
            if answer["kind"] == last:
                self.postponed = answer.get("postponed", [])
                return
            yield answer
        raise LocationDiedError(f"the code location {self.name} stopped", remedy=f"read {self._log}, then run it again")

    def go(self) -> None:
        """Ask for a round."""
        stream: IO[str] | None = self._process.stdin
        with suppress(BrokenPipeError):  # it died; its answers will say so
            if stream is not None:
                stream.write("go\n")
                stream.flush()


def tick(home: Home, settings: Settings, on_answer: OnAnswer | None = None) -> Tick:
    """Run all that is due, until nothing is. `on_answer` is told each run as it ends.

    The caller holds the home's lock (`the_only_hub`). Raises `LocationError` when a code location cannot be loaded.
    """
    done = Tick()

    def note(location: str, answer: dict[str, Any]) -> None:
        done.repaired += [answer["what"]] if answer["kind"] == "repaired" else []
        done.runs += [{k: v for k, v in answer.items() if k != "kind"}] if answer["kind"] == "ran" else []
        if on_answer:
            on_answer(location, answer)

    environment = os.environ | prepare_instance(home, settings) | {STACK: str(home.root)}
    with ExitStack() as stack:
        children = [stack.enter_context(_started(each.name, home, environment)) for each in locations()]
        for child in children:
            for answer in child.answers("ready"):
                note(child.name, answer)
        dead: list[LocationDiedError] = []
        while _round(children, note, dead):
            pass
        if dead:
            raise dead[0]
        done.postponed = [line for child in children for line in child.postponed]
    return done


def _round(children: list[_Child], note: OnAnswer, dead: list[LocationDiedError]) -> bool:
    """One round; whether anything ran. One that dies leaves `children` for `dead`, and the others go on."""
    has_run = False
    for child in list(children):
        child.go()
        try:
            for answer in child.answers("idle"):
                note(child.name, answer)
                has_run = True
        except LocationDiedError as error:
            children.remove(child)
            dead.append(error)
    return has_run


@contextmanager
def _started(name: str, home: Home, environment: Mapping[str, str]) -> Iterator[_Child]:
    """The process, ended on leaving: by closing its input, or by force when something went wrong."""
    log = home.dagster / f"tick-{name}.log"
    command = [sys.executable, "-m", "hdh_assets.definitions.tick_child", name]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
            cwd=home.dagster,
            preexec_fn=partial(die_with_parent, signal.SIGKILL),  # noqa: PLW1509 - this process has one thread
        )
    try:
        yield _Child(name, process, log)
        with suppress(BrokenPipeError):  # it died before it read what was written
            if process.stdin:
                process.stdin.close()
        process.wait(60)
    finally:
        end(process)
