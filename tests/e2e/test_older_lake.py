"""A lake restored from an older backup than the vault: `hdh check` names what it forgot, and how to load it back."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hubs import DATASET, drop, hdh, make_fifth, take_in_all


@pytest.mark.slow
def test_what_a_restored_lake_forgot_is_told_and_loaded_back_by_the_command_that_is_told(
    tmp_path: Path, standardised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_fifth(tmp_path / "hub", standardised, monkeypatch)
    drop(home, "2024-01")
    take_in_all(home)
    shutil.copytree(home.lake, tmp_path / "backup")
    for period in ("2024-02", "2024-03"):
        drop(home, period)
    take_in_all(home)
    shutil.rmtree(home.lake)
    shutil.copytree(tmp_path / "backup", home.lake)

    told = " ".join(hdh("check", expect=1).split())
    assert f"the lake does not know {DATASET} 2024-02, {DATASET} 2024-03" in told
    (command,) = re.findall(r"`hdh (backfill [^`]*)`", told)
    assert "2 period(s)" in hdh(*command.split())
    assert "the lake knows every accepted one" in hdh("check")
    assert "60" in hdh("sql", f"SELECT count(*) FROM {DATASET}.readings")
