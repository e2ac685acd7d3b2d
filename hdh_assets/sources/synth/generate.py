"""Making sealed deliveries of several datasets over a range of periods, from one population."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import find_dataset
from hdh_assets.core.errors import HubError
from hdh_assets.core.periods import first_day, periods_between
from hdh_assets.sources.intake.manifest import FIRST_YEAR, LAST_YEAR
from hdh_assets.sources.intake.seal import seal
from hdh_assets.sources.synth.engine import open_engine
from hdh_assets.sources.synth.generic import write_generic
from hdh_assets.sources.synth.order import Generator, Order
from hdh_assets.sources.synth.population import make_population
from hdh_assets.sources.synth.snds import write_snds
from hdh_assets.sources.synth.synthea import write_synthea

GENERATORS: dict[str, Generator] = {"generic": write_generic, "snds": write_snds, "synthea": write_synthea}
"""Generators by the name a descriptor gives (`synth.generator`): those of `core/generators.py`."""


def generate(
    datasets: Mapping[str, Dataset],
    ids: Iterable[str],
    *,
    persons: int,
    first: str,
    last: str,
    seed: int,
    out: Path,
    on_progress: Callable[[str, str], None] | None = None,
) -> list[Path]:
    """Write sealed deliveries `<out>/<dataset>/<period>/`, one per dataset and period; the folders, in order.

    `first` and `last` are periods of any cadence, both included: `2024-01` to `2024-06` gives six monthly deliveries
    and the yearly one of 2024. The same seed and number of persons give the same bytes whichever periods are asked
    together. A delivery folder that exists is replaced. `on_progress` is told each dataset and period before its
    turn. What does not fit in memory lies in `out` meanwhile, where there is room for the deliveries.

    Raises `HubError` for an unknown dataset, a bad period or a number of persons below one.
    """
    if persons < 1:
        raise HubError("at least one person is needed", remedy="ask for --persons 1 or more")
    chosen = [find_dataset(dict(datasets), dataset_id) for dataset_id in ids]
    orders = [(dataset, period) for dataset in chosen for period in periods_between(dataset.cadence, first, last)]
    if odd := [period for _, period in orders if not FIRST_YEAR <= first_day(period).year <= LAST_YEAR]:
        raise HubError(f"no delivery is of {odd[0]}", remedy=f"choose periods from {FIRST_YEAR} to {LAST_YEAR}")
    made: list[Path] = []
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".spill-", dir=out) as spill, open_engine(Path(spill)) as con:
        make_population(con, persons, seed)
        for dataset, period in orders:
            if on_progress:
                on_progress(dataset.id, period)
            folder = out / dataset.id / period
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            order = Order(dataset, period, persons, seed, folder)
            rows = GENERATORS[dataset.synth.generator](con, order)
            seal(folder, dataset, period, rows=rows, sealed_at=_sealed_at(period))
            made.append(folder)
    return made


def _sealed_at(period: str) -> datetime:
    """The instant the period began: the manifest too is the same each time, and of no present period in the future."""
    day = first_day(period)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
