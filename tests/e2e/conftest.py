"""A hub with a fifth dataset."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hdh_assets.core.home import Home

FIFTH = Path(__file__).with_name("fifth.yaml")


@pytest.fixture
def fifth(home: Home) -> Home:
    """A hub whose installation described one more dataset."""
    shutil.copy(FIFTH, home.datasets / "scale_readings.yaml")
    return home
