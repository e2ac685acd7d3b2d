"""A backlog of small deliveries drained by one `hdh tick`: does it end, and does the last one cost more than the first?

    python -m benchmarks.backlog [--deliveries 10000] [--datasets 40] [--rows 20] [--seed 1] [--keep]

Drops months of copies of `commune_context` into an inbox, each a sealed delivery of its own, then lets `hdh tick` work
until nothing is due. Prints the seconds until the first receipt (both code locations loaded, every manifest of the
inbox looked at; a sensor has a minute), the seconds a delivery for each tenth of the backlog, what the last tenth cost
against the first, and what is in the lake at the end. Started again with `--keep` after it was stopped, it goes on with
what is left. An hour for ten thousand, so that `make bench` leaves it out.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from hdh_assets.core.descriptor_files import PACKAGE_SOURCES, load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.synth.generate import generate
from resources.lake import open_lake

WORK = Path(__file__).resolve().parent / ".work" / "backlog"
MODEL, FIRST_YEAR = "commune_context", 2001
_HDH = (sys.executable, "-m", "hdh_assets.cli")
_LOOK_SECONDS = 2.0


def main() -> None:
    """Drop, drain, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=10_000, help="deliveries to drop")
    parser.add_argument("--datasets", type=int, default=40, help="datasets they are spread over")
    parser.add_argument("--rows", type=int, default=20, help="rows of each delivery")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the hub made for it, and go on with the one kept")
    options = parser.parse_args()
    home = Home(WORK / "hub")
    if not (options.keep and home.root.is_dir()):
        shutil.rmtree(WORK, ignore_errors=True)
        _drop(home, options)
    waiting = _waiting(home)
    print(f"{waiting:,} deliveries wait in the inbox", flush=True)
    seconds = _drain(home, waiting)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"drained in {seconds:.0f} s, {seconds / waiting:.2f} s a delivery, at most {peak:.2f} GiB a process")
    with open_lake(home, Settings.load(home)).reader() as engine:
        (counted,) = engine.execute("SELECT count(*), count(DISTINCT digest) FROM lake.meta.delivery").fetchall()
    print(f"in the lake: {counted[0]:,} deliveries, {counted[1]:,} different; {_waiting(home):,} left in the inbox")
    if not options.keep:
        shutil.rmtree(WORK)


def _drop(home: Home, options: argparse.Namespace) -> None:
    """A home with the copied descriptors, and every delivery sealed in its inbox."""
    home.datasets.mkdir(parents=True)
    said = next(PACKAGE_SOURCES.glob(f"*/{MODEL}.yaml")).read_text("utf-8")
    said = said.replace("cadence: yearly", "cadence: monthly")
    said = said.replace('first_period: "2006"', f'first_period: "{FIRST_YEAR}-01"')
    for number in range(options.datasets):
        (home.datasets / f"{_copy(number)}.yaml").write_text(said.replace(f"id: {MODEL}", f"id: {_copy(number)}"))
    subprocess.run([*_HDH, "--home", str(home.root), "init"], check=True, stdout=subprocess.DEVNULL)
    datasets = load_datasets(home)
    months = -(-options.deliveries // options.datasets)
    for number in range(options.datasets):
        name = _copy(number)
        generate(
            datasets,
            [name],
            persons=options.rows,
            first=f"{FIRST_YEAR}-01",
            last=f"{FIRST_YEAR + (months - 1) // 12}-{(months - 1) % 12 + 1:02d}",
            seed=options.seed + number,
            out=home.inbox / datasets[name].producer.id,
        )


def _copy(number: int) -> str:
    return f"context_{number:02d}"


def _waiting(home: Home) -> int:
    return sum(1 for _ in home.inbox.glob("*/*/*/manifest.json"))


def _drain(home: Home, waiting: int) -> float:
    """Run `hdh tick` to its end and tell how it goes on; the seconds it took. Raises when the tick fails."""
    started = time.perf_counter()
    process = subprocess.Popen([*_HDH, "--home", str(home.root), "tick"], stdout=subprocess.DEVNULL)
    told, since, tenth = 0, started, max(waiting // 10, 1)
    costs: list[float] = []
    for done in _taken_in(home, waiting, process):
        now = time.perf_counter()
        if done and told == 0:
            print(f"first receipt after {now - started:.1f} s", flush=True)
            told, since = done, now
        elif done >= told + tenth:
            costs.append((now - since) / (done - told))
            print(f"{done:>7,} taken in: {costs[-1]:.3f} s each", flush=True)
            told, since = done, now
    if process.returncode:
        raise SystemExit(f"hdh tick ended with {process.returncode}")
    if costs:
        print(f"last tenth / first tenth {costs[-1] / costs[0]:.2f}")
    return time.perf_counter() - started


def _taken_in(home: Home, waiting: int, process: subprocess.Popen[bytes]) -> Iterator[int]:
    """How many of the deliveries have left the inbox, again and again until the process has ended."""
    while process.poll() is None:
        time.sleep(_LOOK_SECONDS)
        yield waiting - _waiting(home)


if __name__ == "__main__":
    main()
