"""The Synthea export multiplied to N patients, from sealed files to a release, through intake and standardisation.

    python -m benchmarks.synthea EXPORT [--patients 2000] [--dbt-synthea FOLDER] [--memory 1GB] [--keep]

With the folder of a dbt-synthea checkout (its packages installed, its vocabulary in `seeds/vocabulary`, and
`sample_size = 1000000` in the `read_csv` of `macros/load_data_duckdb.sql`, since it guesses types from the first rows),
its load and its run are timed on the same files, by the same DuckDB, in the same run. It checks nothing; the hub's
figures include gates, pseudonyms, contracts, tests and eras. Prints seconds, processor seconds, peak memory and ratios;
targets at 100,000 patients on 2 cores: all of it at most 1.5 times dbt-synthea's load and run, standardisation at most
1.0 times its run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks.dropping import drop
from benchmarks.synthea_multiply import DATASET
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake.run import take_in
from hdh_assets.sources.intake.seal import seal
from hdh_assets.standard.runner import standardise
from resources.lake import open_lake
from resources.releases import make_release

WORK = Path(__file__).resolve().parent / ".work" / "synthea"
PERIOD = "2024-01"
_TARGET = "benchmark"


@dataclass(frozen=True)
class Step:
    """What one step took: seconds elapsed and of processor, children included, and the peak memory so far in MiB."""

    name: str
    seconds: float
    processor: float
    memory: float


def main() -> None:
    """Multiply, seal, run both sides, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path, help="folder of a Synthea CSV export")
    parser.add_argument("--patients", type=int, default=2000, help="patients wanted, rounded up to whole copies")
    parser.add_argument("--dbt-synthea", type=Path, help="checkout to compare with")
    parser.add_argument("--memory", default="1GB", help="memory limit of each DuckDB of the hub")
    parser.add_argument("--keep", action="store_true", help="keep the multiplied files for the next run")
    parser.add_argument("--child", choices=("hub", "dbt-synthea"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options)
        return
    folder, rows = _sealed_export(options.export, options.patients)
    print(f"{options.patients:,} patients, {rows:,} rows, {_size(folder) / 1e9:.2f} GB")
    sides = {"hub": _run_side("hub")}
    _show("hub", sides["hub"])
    if options.dbt_synthea:
        sides["dbt-synthea"] = _run_side("dbt-synthea")
        _show("dbt-synthea", sides["dbt-synthea"])
        _compare(sides["hub"], sides["dbt-synthea"])
    if not options.keep:
        shutil.rmtree(WORK)


def _show(side: str, steps: list[Step]) -> None:
    for step in steps:
        print(
            f"{side:12}{step.name:14}{step.seconds:9.1f} s{step.processor:9.1f} s of processor"
            f"{step.memory:8.0f} MiB at most",
            flush=True,
        )


def _compare(hub: list[Step], dbt_synthea: list[Step]) -> None:
    ours, theirs = ({step.name: step for step in steps} for steps in (hub, dbt_synthea))
    for what, measure in (("elapsed", _elapsed), ("of processor", _processor)):
        whole = sum(map(measure, ours.values())) / sum(map(measure, theirs.values()))
        part = measure(ours["standardise"]) / measure(theirs["run"])
        print(f"ratio {what}: {whole:.2f} from files to release, {part:.2f} standardisation against their run")


def _elapsed(step: Step) -> float:
    return step.seconds


def _processor(step: Step) -> float:
    return step.processor


def _sealed_export(export: Path, patients: int) -> tuple[Path, int]:
    """The multiplied and sealed export, made unless it is there; its folder and number of rows."""
    folder = WORK / f"export_{patients}"
    if not (folder / "manifest.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        counted = duckdb.execute(f"SELECT count(*) FROM read_csv('{export / 'patients.csv'}', all_varchar = true)")
        times = str(math.ceil(patients / counted.fetchall()[0][0]))
        # in a process of its own: the memory it takes is nobody's who is measured
        command = [sys.executable, "-m", "benchmarks.synthea_multiply", str(export), str(folder), "--times", times]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seal(folder, load_datasets()[DATASET], PERIOD)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    return folder, sum(file["rows"] for file in manifest["files"])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _run_side(side: str) -> list[Step]:
    """Run one side in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.synthea", *sys.argv[1:], "--child", side]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    return [Step(**step) for step in json.loads(done.stdout.splitlines()[-1])]


def _child(options: argparse.Namespace) -> None:
    folder, _ = _sealed_export(options.export, options.patients)
    target = WORK / options.child
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in folder.iterdir():  # both sides find the files in the page cache, or not, alike
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass
    steps = (
        _hub(folder, target, options.memory) if options.child == "hub" else _theirs(folder, target, options.dbt_synthea)
    )
    print(json.dumps([asdict(step) for step in steps]))
    shutil.rmtree(target)


def _hub(folder: Path, target: Path, memory: str) -> list[Step]:
    for name in [name for name in os.environ if name.startswith("HDH_")]:
        del os.environ[name]
    home, settings, datasets = Home(target), Settings(memory_limit=memory), load_datasets()
    dropped = drop(folder, home, DATASET, PERIOD)

    def take() -> None:
        receipt = take_in(home, settings, datasets, dropped, run_id="benchmark")
        if receipt.status != "accepted":
            raise SystemExit(receipt.to_json())

    def standard() -> None:
        if standardise(home, settings).failed_tests:
            raise SystemExit("a test failed")

    def release() -> None:
        make_release(open_lake(home, settings), checks={})

    return [_timed("intake", take), _timed("standardise", standard), _timed("release", release)]


def _theirs(folder: Path, target: Path, checkout: Path) -> list[Step]:
    """Load and run of dbt-synthea; its vocabulary is loaded before the clock starts."""
    profile = {"type": "duckdb", "path": str(target / "dbt_synthea.duckdb"), "schema": _TARGET}
    profiles = {"synthea_omop_etl": {"target": "dev", "outputs": {"dev": profile}}}
    (target / "profiles.yml").write_text(json.dumps(profiles), "utf-8")
    files = {path.stem: str(path) for path in folder.glob("*.csv")}
    loading = json.dumps({"file_dict": files, "vocab_tables": False})
    with _without_sample(checkout, target) as project:
        _dbt(project, target, "seed")
        _expose_vocabulary(target / "dbt_synthea.duckdb")
        return [
            _timed("load", lambda: _dbt(project, target, "run-operation", "load_data_duckdb", "--args", loading)),
            _timed("run", lambda: _dbt(project, target, "run")),
        ]


@contextmanager
def _without_sample(checkout: Path, target: Path) -> Iterator[Path]:
    """A copy of the checkout without the sample export it carries as seeds."""
    project = target / "project"
    shutil.copytree(checkout, project, ignore=shutil.ignore_patterns(".git", "synthea.csv"))
    shutil.rmtree(project / "seeds" / "synthea", ignore_errors=True)
    yield project
    shutil.rmtree(project)


def _expose_vocabulary(database: Path) -> None:
    """Show the seeded vocabulary under the names the run looks for when the export is not a seed."""
    with duckdb.connect(str(database)) as engine:
        engine.execute(f"CREATE SCHEMA IF NOT EXISTS {_TARGET}_vocab")
        seeds = engine.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", [f"{_TARGET}_vocab_seeds"]
        ).fetchall()
        for (seed,) in seeds:
            for name in {seed, seed.removesuffix("_seed")}:
                engine.execute(f"CREATE VIEW {_TARGET}_vocab.{name} AS FROM {_TARGET}_vocab_seeds.{seed}")


def _dbt(project: Path, target: Path, *arguments: str) -> None:
    where = ["--project-dir", str(project), "--profiles-dir", str(target), "--vars", '{"seed_source": false}']
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", *arguments, *where]
    done = subprocess.run(command, check=False, cwd=project, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"dbt {arguments[0]} failed:\n{done.stdout[-2000:]}")


def _timed(name: str, work: Callable[[], None]) -> Step:
    started, used = time.perf_counter(), _processor_seconds()
    work()
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    memory = max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024
    return Step(name, time.perf_counter() - started, _processor_seconds() - used, memory)


def _processor_seconds() -> float:
    usages = (resource.getrusage(kind) for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
