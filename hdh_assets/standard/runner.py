"""Standardising a home: what changed since the last time, dbt on that, and what came out.

The only entry is `standardise`. It holds the writer lock for the whole of it, runs dbt in a child process and notes
what was done only when all of it was.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb

from hdh_assets.core.crash import crash_point
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.keys import OMOP_DOMAINS
from hdh_assets.standard.child import Node, Plan
from hdh_assets.standard.manifest import dbt_environment
from hdh_assets.standard.sources_yml import PROJECT, fed_datasets, write_sources
from hdh_assets.standard.state import (
    Pending,
    ensure_state,
    pending,
    put_everyone_in_scope,
    record_done,
    rules_fingerprint,
)
from hdh_assets.standard.vocabulary import check_vocabulary
from resources.lake import Lake, open_lake, spill_folder, transaction
from resources.lake_tables import ensure_tables
from resources.maintenance import rewrite_dead_files
from resources.releases import code_commit

__all__ = ["Node", "StandardiseError", "StandardiseResult", "standardise"]

_NOT_REBUILT = ("config.materialized:view", "resource_type:seed")
"""What only a change of the rules rebuilds."""
_REWRITTEN = ("staging", "omop")
"""Schemas of the tables in which each standardisation deletes rows and writes them again."""
_OF_ANOTHER = ("TransactionContext Error", "INTERRUPT Error")
"""What a node fails with because another did."""


class StandardiseError(HubError):
    """dbt could not build the tables; what was there before is unchanged or will be completed by the next run."""


@dataclass(frozen=True)
class StandardiseResult:
    """What a standardisation did.

    `tables` gives the rows of each CDM table (all 39), whether rebuilt or not; `nodes` every dbt model, seed and test
    that ran. `is_changed` is false when there was nothing to do, and then `nodes` is empty.
    """

    is_changed: bool
    tables: dict[str, int]
    nodes: tuple[Node, ...] = ()
    seconds: float = 0.0

    @property
    def failed_tests(self) -> tuple[Node, ...]:
        """Tests that found rows they should not; each blocks a release."""
        return tuple(node for node in self.nodes if node.kind == "test" and not node.is_good)

    @property
    def tests(self) -> tuple[Node, ...]:
        """Every test that ran."""
        return tuple(node for node in self.nodes if node.kind == "test")


def standardise(
    home: Home, settings: Settings, *, full: bool = False, on_event: Callable[[Node], None] | None = None
) -> StandardiseResult:
    """Bring staging and OMOP up to date with the deliveries in the lake; nothing is written when they are.

    `full` recomputes every row from the deliveries. `on_event` is told each dbt node as it finishes. When a test
    fails the result says so, and the same work is done again the next time.
    Raises `StandardiseError` when a model cannot be built, `ConfigurationError` when the Athena folder cannot be
    loaded, `LakeBusyError` when another process keeps writing.
    """
    started = time.monotonic()
    lake = open_lake(home, settings)
    fingerprint, fed = rules_fingerprint(settings.vocab_dir), fed_datasets()
    with lake.writer_lock(), spill_folder(home, "standardise") as spill:
        left = _prepare(lake, fed, fingerprint, full=full)
        nodes = _run_dbt(home, settings, _plan(left), spill, on_event) if left.concerns_tables else ()
        with lake.opened(spill) as engine:
            if not left.nothing and all(node.is_good for node in nodes):
                record_done(engine, fingerprint, left)
                if left.rules:
                    _drop_former_views(engine)
                rewrite_dead_files(engine, _REWRITTEN)
            rows = _count_rows(engine)
        return StandardiseResult(bool(nodes), rows, nodes, round(time.monotonic() - started, 3))


def _prepare(lake: Lake, fed: set[str], fingerprint: str, *, full: bool) -> Pending:
    """Make the tables dbt reads exist, find what is left to do, and widen the scope to everyone if need be."""
    datasets = load_datasets(lake.home)
    write_sources(datasets.values())
    with lake.opened() as engine:
        ensure_tables(engine, datasets)
        ensure_state(engine)
        left = pending(engine, fed, fingerprint)
        left = replace(left, rules=left.rules or full)
        if left.rules:
            if lake.settings.vocab_dir:
                check_vocabulary(Path(lake.settings.vocab_dir))
            put_everyone_in_scope(engine)
    crash_point("standardise.prepared")
    return left


def _plan(left: Pending) -> Plan:
    """Everything when the rules changed; otherwise the tables downstream of the datasets that did."""
    if left.rules or left.resumed:
        return Plan()
    downstream = (*(f"source:{dataset}+" for dataset in left.datasets), "source:hub+")
    return Plan(build=downstream, exclude=_NOT_REBUILT, test=downstream)


def _run_dbt(
    home: Home, settings: Settings, plan: Plan, spill: Path, on_event: Callable[[Node], None] | None
) -> tuple[Node, ...]:
    folder = home.tmp / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [str(folder), json.dumps(asdict(plan)), str(os.getpid())]
    command = [sys.executable, "-P", "-m", "hdh_assets.standard.child", *arguments]
    nodes: list[Node] = []
    with subprocess.Popen(
        command,
        env=_environment(home, settings, spill),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        try:
            for line in child.stdout or ():
                nodes.append(Node(**json.loads(line)))
                if on_event:
                    on_event(nodes[-1])
        except BaseException:
            child.kill()  # stopped: what it wrote is undone, and it must not write once the lock is released
            raise
    if child.returncode:
        raise _error(nodes, child.returncode)
    return tuple(nodes)


def _error(nodes: list[Node], code: int) -> StandardiseError:
    broken = [node for node in nodes if not node.is_good and node.problem]
    broken = [node for node in broken if not node.problem.endswith(_OF_ANOTHER)] or broken
    said = "; ".join(f"{node.name}: {node.problem}" for node in broken) or f"dbt stopped with code {code}"
    return StandardiseError(
        f"standardisation failed: {said}",
        remedy="nothing is lost: run `hdh tick` again once the cause is removed; `hdh check --deep` checks the models",
    )


def _environment(home: Home, settings: Settings, spill: Path) -> dict[str, str]:
    """What the child sees: this home and these settings, whatever the files say."""
    given = {f"HDH_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    ours = {"HDH_HOME": str(home.root), "HDH_DBT_SPILL": str(spill), "HDH_CODE_VERSION": code_commit()}
    return dbt_environment(given | ours)


def _drop_former_views(engine: duckdb.DuckDBPyConnection) -> None:
    """Drop views that the project no longer describes: what they read may be gone. Releases keep those of their day."""
    described = [path.stem for path in (PROJECT / "models").rglob("*.sql")]
    former = engine.execute(
        "SELECT view_name FROM duckdb_views() WHERE database_name = 'lake' AND schema_name = 'staging' "
        "AND NOT list_contains(?, view_name)",
        [described],
    ).fetchall()
    with transaction(engine):
        for (name,) in former:
            engine.execute(f'DROP VIEW lake.staging."{name}"')


def _count_rows(engine: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = [table for group in OMOP_DOMAINS.values() for table in group]
    counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM lake.omop.{table}" for table in tables)
    return dict(engine.execute(counts).fetchall())
