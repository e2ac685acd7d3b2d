"""A hub's home that hospital exports are delivered to, as a producer would, for tests of what they become."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake.run import take_in
from hdh_assets.sources.intake.seal import seal
from hdh_assets.sources.synth.generate import generate
from hdh_assets.standard.runner import standardise
from resources.inbox import scan
from resources.lake import open_lake
from tests.settings import forget_settings

DATASET = "hospital_ehr"


def synthetic_export(out: Path, persons: int = 60) -> Path:
    """A folder of 18 generated CSV files."""
    (folder,) = generate(load_datasets(), [DATASET], persons=persons, first="2024-01", last="2024-01", seed=7, out=out)
    (folder / "manifest.json").unlink()
    return folder


@contextmanager
def standardised_hub(root: Path, export: Path, base: Path) -> Iterator[Hub]:
    """A hub at `root`, made from the one at `base`, that took the export in and standardised it."""
    with pytest.MonkeyPatch.context() as patch:
        forget_settings(patch)
        hub = Hub(root, export, base)
        hub.deliver("2024-01")
        hub.standardise()
        yield hub


class Hub:
    """One home and the export delivered to it."""

    def __init__(self, root: Path, export: Path, standardised: Path) -> None:
        shutil.copytree(standardised, root)
        self.home, self.export = Home.resolve(root), export
        self.settings, self.datasets = Settings.load(self.home), load_datasets()

    def deliver(self, period: str, shuffle: int | None = None) -> None:
        """Take the export in for that period, its rows in another order if a seed is given."""
        folder = self.home.inbox / self.datasets[DATASET].producer.id / DATASET / period
        folder.mkdir(parents=True)
        for path in sorted(self.export.glob("*.csv")):
            header, *lines = path.read_bytes().splitlines(keepends=True)
            if shuffle is not None:
                random.Random(shuffle).shuffle(lines)
            (folder / path.name).write_bytes(b"".join([header, *(line.rstrip(b"\r\n") + b"\n" for line in lines)]))
        seal(folder, self.datasets[DATASET], period)
        (dropped,) = scan(self.home, self.datasets)
        receipt = take_in(self.home, self.settings, self.datasets, dropped, run_id="test")
        assert receipt.status == "accepted", receipt.to_json()
        shutil.rmtree(folder, ignore_errors=True)

    def standardise(self, vocab_dir: Path | None = None, *, full: bool = False) -> None:
        """Standardise, with that Athena folder if given, and insist that every model and test was good."""
        settings = self.settings.model_copy(update={"vocab_dir": str(vocab_dir or "")})
        result = standardise(self.home, settings, full=full)
        assert [node for node in result.nodes if not node.is_good] == []

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the lake."""
        with open_lake(self.home, self.settings).reader() as engine:
            return engine.execute(sql).fetchall()

    def count(self, table: str) -> int:
        """Number of rows of a table of the lake."""
        return int(self.rows(f"SELECT count(*) FROM lake.{table}")[0][0])
