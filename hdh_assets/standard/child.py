"""The process that runs dbt: models and seeds first, then the tests, in one start.

Run as `python -m hdh_assets.standard.child FOLDER PLAN`, where PLAN is the JSON of `Plan`. Every finished node is one
JSON line on standard output, a sentence on failure included; never a row's value. A process of its own because dbt
keeps global state and memory, and so that a crash of the engine is a failed run of the hub rather than its end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hdh_assets.standard.sources_yml import PROJECT

_VALUE_FREE = 300


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
    """Run dbt on the plan, its files under `folder`; True when every model was built (tests are reported, not judged)."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    common = ["--target-path", str(folder / "target"), "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    quiet = ["--quiet", "--log-level-file", "none", "--log-path", str(folder), "--no-use-colors"]
    runner = dbtRunner()
    parsed = runner.invoke([*quiet, "parse", *common])
    if not parsed.success:
        report(Node("parse", "project", "error", 0.0, problem=_sentence(parsed.exception)))
        return False
    runner = dbtRunner(manifest=parsed.result)
    build = ["build", *common, *_select(plan.build, plan.exclude), "--exclude-resource-type", "test", "unit_test"]
    built = runner.invoke([*quiet, *build])
    _report(built, report)
    if built.success:
        tests = ["test", *common, *_select(plan.test, ("test_type:unit",))]
        _report(runner.invoke([*quiet, *tests]), report)
    return bool(built.success)


def _select(select: tuple[str, ...], exclude: tuple[str, ...]) -> list[str]:
    return [*(["--select", *select] if select else []), *(["--exclude", *exclude] if exclude else [])]


def _report(outcome: Any, report: Callable[[Node], None]) -> None:
    if outcome.exception is not None:
        report(Node("dbt", "project", "error", 0.0, problem=_sentence(outcome.exception)))
    for result in getattr(outcome.result, "results", ()):
        report(_node(result))


def _node(result: Any) -> Node:
    status = str(result.status)
    failed = status in {"error", "fail", "runtime error"}
    return Node(
        name=result.node.name,
        kind=str(result.node.resource_type),
        status=status,
        seconds=round(result.execution_time, 3),
        failures=result.failures or 0,
        problem=_sentence(result.message) if failed else "",
    )


def _sentence(message: object) -> str:
    """The kind of error without what it quotes: an engine's message may hold a row's value."""
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    found = next((line for line in lines if "Error" in line), lines[0] if lines else "")
    return found.partition(":")[0][:_VALUE_FREE]


if __name__ == "__main__":
    wanted = {name: tuple(values) for name, values in json.loads(sys.argv[2]).items()}
    lines = sys.stdout

    def _print(node: Node) -> None:
        lines.write(json.dumps(asdict(node)) + "\n")
        lines.flush()

    sys.exit(0 if main(Path(sys.argv[1]), Plan(**wanted), _print) else 1)
