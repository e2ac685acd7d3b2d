"""Monthly fluxes of the SNDS one after another, from sealed files to OMOP: does the 24th cost more than the 2nd?

    python -m benchmarks.flux [--persons 20000] [--months 24] [--seed 1] [--nightly] [--keep]

Prints, for each flux, its lines and the seconds of intake and of standardisation, elapsed and of processor, then the
ratio of the last flux to the second, that of medians (one flux differs from the next by a tenth), and what a full
rebuild costs. Target on 2 cores: ratio at most 1.3. Processor seconds are the ones to trust on a busy machine. With
`--nightly` the maintenance of a night goes by between two fluxes, as in a hub that runs; it is not counted.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake.run import take_in
from hdh_assets.sources.synth.generate import generate
from hdh_assets.standard.runner import standardise
from resources.inbox import scan
from resources.keys import Purpose, open_keys
from resources.lake import open_lake
from resources.maintenance import maintain

WORK = Path(__file__).resolve().parent / ".work" / "flux"
FLUX, REFERENCE, FIRST_YEAR = "snds_dcir", "snds_beneficiaries", 2022


@dataclass(frozen=True)
class Cost:
    """Seconds elapsed, and seconds of processor, children included."""

    elapsed: float
    processor: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.elapsed + other.elapsed, self.processor + other.processor)


def main() -> None:
    """Deliver, standardise, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=20_000, help="persons of the synthetic population")
    parser.add_argument("--months", type=int, default=24, help="fluxes to deliver")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nightly", action="store_true", help="maintain the lake between two fluxes")
    parser.add_argument("--keep", action="store_true", help="keep the hub made for it")
    options = parser.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    home = Home(WORK / "hub")
    home.root.mkdir(parents=True)
    open_keys(home).create_missing(tuple(Purpose))
    settings = Settings.load(home)
    periods = [f"{FIRST_YEAR + month // 12}-{month % 12 + 1:02d}" for month in range(options.months)]
    standardise(home, settings)
    _deliver(home, settings, REFERENCE, periods[-1], options)
    costs = [_flux(home, settings, period, options) for period in periods]
    _summary(costs, _timed(lambda: standardise(home, settings, full=True)))
    if not options.keep:
        shutil.rmtree(WORK)


def _flux(home: Home, settings: Settings, period: str, options: argparse.Namespace) -> Cost:
    lines, intake = _deliver(home, settings, FLUX, period, options)
    standard = _timed(lambda: standardise(home, settings))
    print(
        f"{period}  {lines:>9,} lines  intake {intake.elapsed:6.1f} s ({intake.processor:6.1f} of processor)"
        f"  OMOP {standard.elapsed:6.1f} s ({standard.processor:6.1f})",
        flush=True,
    )
    if options.nightly:
        maintain(open_lake(home, settings))
    return intake + standard


def _deliver(
    home: Home, settings: Settings, dataset: str, period: str, options: argparse.Namespace
) -> tuple[int, Cost]:
    """Make one delivery, drop it and take it in; its rows and what taking it in cost."""
    datasets = load_datasets()
    inbox = home.inbox / datasets[dataset].producer.id
    generate(datasets, [dataset], persons=options.persons, first=period, last=period, seed=options.seed, out=inbox)
    (dropped,) = scan(home, datasets)
    rows: list[int] = []
    cost = _timed(lambda: rows.append(take_in(home, settings, datasets, dropped, run_id="benchmark").row_count))
    return rows[0], cost


def _timed(work: Callable[[], object]) -> Cost:
    started, processor = time.perf_counter(), _processor()
    work()
    return Cost(time.perf_counter() - started, _processor() - processor)


def _processor() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _middle(costs: list[Cost]) -> Cost:
    return Cost(median(cost.elapsed for cost in costs), median(cost.processor for cost in costs))


def _summary(costs: list[Cost], rebuild: Cost) -> None:
    second, last = costs[min(1, len(costs) - 1)], costs[-1]
    early, late = _middle(costs[1:4] or costs), _middle(costs[-3:])
    print(
        f"flux {len(costs)} against flux 2: {last.elapsed / second.elapsed:.2f} times elapsed,"
        f" {last.processor / second.processor:.2f} times processor (target 1.3)\n"
        f"medians of the last three against those of 2 to 4: {late.elapsed / early.elapsed:.2f} times elapsed,"
        f" {late.processor / early.processor:.2f} times processor\n"
        f"full rebuild of OMOP: {rebuild.elapsed:.1f} s ({rebuild.processor:.1f} of processor)"
    )


if __name__ == "__main__":
    main()
