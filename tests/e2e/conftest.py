"""A hub with a fifth dataset."""

from __future__ import annotations

from pathlib import Path

import pytest
from hubs import make_fifth

from hdh_assets.core.home import Home


@pytest.fixture
def fifth(tmp_path: Path, standardised: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A hub whose installation described one more dataset; its OMOP tables are there, empty. Its folder is French."""
    return make_fifth(tmp_path / "l'hôpital d'été" / "hub", standardised, monkeypatch)
