"""Whole lives: whatever happened to a hub, it holds what a fresh hub holds that saw only the result.

`LIVES=100-140 python -m pytest -m slow tests/integration/test_whole_lives.py` runs other seeds. A life that fails tells
its seed and its steps; the same seed draws the same steps, save for what depends on where a kill by the clock fell.
The checkout is to stay as it is meanwhile: releases tell by which code they were made.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from life_compared import differences, unsound
from life_deliveries import make_population
from whole_life import Life

from tests.settings import forget_settings

STEPS = 7

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


def seeds() -> list[int]:
    """Those of `LIVES`, first and last, or a few."""
    first, _, last = os.environ.get("LIVES", "1-3").partition("-")
    return list(range(int(first), int(last or first) + 1))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_population(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("seed", seeds())
def test_a_hub_that_lived_holds_what_a_fresh_one_holds(
    standardised: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    forget_settings(monkeypatch)
    life = Life.begun(standardised, tmp_path / "hub", made, seed)
    monkeypatch.setenv("HDH_HOME", str(life.root))
    life.live(STEPS)
    monkeypatch.setenv("HDH_HOME", str(tmp_path / "fresh"))
    fresh = life.result(tmp_path / "fresh", standardised)
    assert [*unsound(life), *unsound(fresh), *differences(life, fresh)] == [], "\n".join([f"seed {seed}", *life.told])
