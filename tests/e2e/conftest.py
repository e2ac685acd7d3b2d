"""A hub with a fifth dataset."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hubs import FIFTH

from hdh_assets.core.home import Home


@pytest.fixture
def fifth(home: Home, standardised: Path) -> Home:
    """A hub whose installation described one more dataset; its OMOP tables are there, empty."""
    shutil.rmtree(home.root)
    shutil.copytree(standardised, home.root)
    shutil.copy(FIFTH, home.datasets / FIFTH.name)
    return home
