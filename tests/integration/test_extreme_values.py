"""What intake accepts, however absurd, may fail a check; it never stops the engine half way to OMOP."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.sql_text import literal
from hdh_assets.sources.intake.run import take_in
from hdh_assets.sources.intake.seal import seal
from hdh_assets.sources.synth.generate import generate
from hdh_assets.standard.runner import StandardiseResult, standardise
from resources.inbox import scan
from tests.extreme_values import exaggerate

DATASETS = load_datasets()
BIRTH, ORDER = "nothing_happens_before_birth", "no_end_comes_before_its_start"
Change = Callable[[Path, Dataset, str], None]
"""Given a delivery's folder, its dataset and period."""


def standardised_after(base: Path, root: Path, change: Change, *ids: str) -> StandardiseResult:
    """Synthetic deliveries of these datasets, changed and sealed again, taken into a copy of `base`."""
    home, settings = Home(root / "hub"), Settings()
    shutil.copytree(base, home.root)
    for folder in generate(DATASETS, ids, persons=40, first="2024-01", last="2024-01", seed=7, out=root / "made"):
        dataset, period = DATASETS[folder.parent.name], folder.name
        change(folder, dataset, period)
        target = home.inbox / dataset.producer.id / dataset.id / period
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, target)
    receipts = [take_in(home, settings, DATASETS, dropped, run_id="extreme") for dropped in scan(home, DATASETS)]
    assert [(r.dataset, r.rejected_count) for r in receipts if r.status != "accepted"] == []
    assert len(receipts) == len(ids)
    return standardise(home, settings)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_accepted_value_stops_a_standardisation(standardised: Path, tmp_path: Path) -> None:
    def change(folder: Path, dataset: Dataset, period: str) -> None:
        exaggerate(folder, dataset, period, seed=7, share=0.1)

    result = standardised_after(standardised, tmp_path, change, *DATASETS)
    assert [node.problem for node in result.nodes if node.kind != "test" and not node.is_good] == []
    assert {node.name for node in result.failed_tests} <= {BIRTH, ORDER}


@pytest.mark.parametrize(("one_in", "status"), [(150, "warn"), pytest.param(20, "fail", marks=pytest.mark.slow)])
def test_a_few_contradictions_are_a_warning_and_many_an_error(
    standardised: Path, tmp_path: Path, one_in: int, status: str
) -> None:
    def change(folder: Path, dataset: Dataset, period: str) -> None:
        path = folder / "medications.csv"
        rows = f"SELECT * REPLACE (CASE WHEN r % {one_in} = 0 THEN '1000-01-01T00:00:00Z' ELSE START END AS START)"
        numbered = f"SELECT *, row_number() OVER () AS r FROM read_csv({literal(path)}, all_varchar = true)"
        duckdb.execute(f"COPY (SELECT * EXCLUDE (r) FROM ({rows} FROM ({numbered}))) TO {literal(path)}")
        (folder / "manifest.json").unlink()
        seal(folder, dataset, period)

    result = standardised_after(standardised, tmp_path, change, "hospital_ehr")
    (check,) = (node for node in result.nodes if node.name == BIRTH)
    assert (check.status, check.failures > 0) == (status, True)
    assert [node.name for node in result.failed_tests] == ([BIRTH] if status == "fail" else [])
