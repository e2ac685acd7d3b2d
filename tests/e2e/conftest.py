"""A hub with a fifth dataset."""

from __future__ import annotations

import shutil

import pytest
from hubs import FIFTH

from hdh_assets.core.home import Home


@pytest.fixture
def fifth(home: Home) -> Home:
    """A hub whose installation described one more dataset."""
    shutil.copy(FIFTH, home.datasets / FIFTH.name)
    return home
