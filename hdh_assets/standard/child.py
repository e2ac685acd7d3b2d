"""The process that runs dbt: models and seeds first, then the tests, in one start.

Run as `python -m hdh_assets.standard.child FOLDER PLAN PARENT`, where PLAN is the JSON of `Plan` and PARENT the process
that holds the writer lock, with which this one dies. Every finished node is one JSON line on standard output, a
sentence on failure included; never a row's value. A process of its own because dbt keeps global state and memory, and
so that a crash of the engine is a failed run of the hub rather than its end.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from hdh_assets.core.files import write_atomically
from hdh_assets.core.processes import die_with_parent
from hdh_assets.standard.sources_yml import PROJECT
from resources.engine_errors import storage_failure

_VALUE_FREE = 300
_ENGINE_ERROR = re.compile(r"([A-Z][A-Za-z]+ ){1,4}Error(?=:)")
_PARSED = "partial_parse.msgpack"


@dataclass(frozen=True)
class Plan:
    """What dbt must build and test, in dbt's selection syntax. Empty selections mean everything."""

    build: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    test: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """One finished dbt node: `kind` is model, seed or test; `failures` counts the rows a test found."""

    name: str
    kind: str
    status: str
    seconds: float
    failures: int = 0
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the node was built, or the test passed or only warns."""
        return self.status in {"success", "pass", "warn"}


def main(folder: Path, plan: Plan, report: Callable[[Node], None]) -> bool:
    """Run dbt on the plan, its files under `folder`; True when every model was built; tests are reported.

    The tables of the build appear together when the last one is built; the tests then read what others see.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415

    from hdh_assets.standard.one_transaction import one_connection  # noqa: PLC0415

    common = ["--target-path", str(folder / "target"), "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    quiet = ["--quiet", "--log-level-file", "none", "--log-path", str(folder), "--no-use-colors", "--no-write-json"]
    begin_with_setup(folder / "target")
    parsed = dbtRunner().invoke([*quiet, "parse", *common])
    if not isinstance(parsed.result, Manifest):
        report(Node("parse", "project", "error", 0.0, problem=_sentence(parsed.exception)))
        return False
    live = _Live(report)
    runner = dbtRunner(manifest=parsed.result, callbacks=[live])
    # after a failed node the transaction refuses every other: their errors would hide the one that matters
    build = ["build", "--fail-fast", *common, *_select(plan.build, plan.exclude)]
    build += ["--exclude-resource-type", "test", "unit_test"]
    with one_connection() as commit:
        built = runner.invoke([*quiet, *build])
        live.close(built)
        if built.success:
            commit()
            tests = ["test", *common, "--no-populate-cache", *_select(plan.test, ("test_type:unit",))]
            live.close(runner.invoke([*quiet, *tests]))
    return bool(built.success)


def begin_with_setup(target: Path) -> None:
    """Give a new home what `make setup` parsed of the project: dbt then parses what differs, and saves four seconds."""
    if (target / _PARSED).exists():
        return
    with suppress(OSError):  # setup made none, or the disk is full: dbt parses everything, or says what it lacks
        target.mkdir(parents=True, exist_ok=True)
        write_atomically(target / _PARSED, (PROJECT / "target" / _PARSED).read_bytes(), is_durable=False)


class _Live:
    """Reports each node once, when dbt says it has finished; `close` adds those dbt only mentions at the end."""

    def __init__(self, report: Callable[[Node], None]) -> None:
        self._report = report
        self._seen: set[str] = set()

    def __call__(self, event: Any) -> None:
        if event.info.name == "NodeFinished":
            info, result = event.data.node_info, event.data.run_result
            self._once(_node(info.node_name, info.resource_type, result, result.num_failures))

    def close(self, outcome: Any) -> None:
        if outcome.exception is not None:
            self._report(Node("dbt", "project", "error", 0.0, problem=_sentence(outcome.exception)))
        for result in getattr(outcome.result, "results", ()):
            self._once(_node(result.node.name, str(result.node.resource_type), result, result.failures or 0))

    def _once(self, node: Node) -> None:
        if node.name not in self._seen:
            self._seen.add(node.name)
            self._report(node)


def _select(select: tuple[str, ...], exclude: tuple[str, ...]) -> list[str]:
    return [*(["--select", *select] if select else []), *(["--exclude", *exclude] if exclude else [])]


def _node(name: str, kind: str, result: Any, failures: int) -> Node:
    status = str(result.status)
    problem = _sentence(result.message) if status in {"error", "fail", "runtime error"} else ""
    return Node(name, kind, status, round(result.execution_time, 3), failures, problem)


def _sentence(message: object) -> str:
    """The kinds of error, dbt's and the engine's, without what they quote: it may hold a row's value."""
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    found = next((n for n, line in enumerate(lines) if "Error" in line), 0)
    said = [line.partition(":")[0][:_VALUE_FREE] for line in lines[found : found + 1]]
    said += [kind[0] for line in lines[found + 1 : found + 2] if (kind := _ENGINE_ERROR.match(line))]
    if refused := storage_failure(str(message)):
        said.append(refused.message)
    return ": ".join(said)


def _report_lines() -> TextIO:
    """The standard output for this module's lines alone: what dbt prints goes to the standard error."""
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return lines


if __name__ == "__main__":
    die_with_parent(signal.SIGKILL, parent=int(sys.argv[3]))
    wanted = {name: tuple(values) for name, values in json.loads(sys.argv[2]).items()}
    output = _report_lines()
    good = main(Path(sys.argv[1]), Plan(**wanted), lambda node: print(json.dumps(asdict(node)), file=output))
    sys.exit(0 if good else 1)
