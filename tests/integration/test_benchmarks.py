"""The benchmarks run, at a size that measures nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("benchmark", "options", "says"),
    [
        ("intake", ["--million", "0.002"], r"ratio +[\d.]+ elapsed"),
        ("flux", ["--persons", "60", "--months", "2"], r"flux 2 against flux 2: 1\.00"),
        ("extract", ["--rows", "5000", "--rounds", "1"], r"extract / bare COPY +[\d.]+"),
        ("backlog", ["--deliveries", "6", "--datasets", "2"], r"6 deliveries, 6 different; 0 left in the inbox"),
    ],
)
def test_a_benchmark_runs_and_prints_its_ratio(benchmark: str, options: list[str], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{benchmark}", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(says, done.stdout)
