"""Spill folders: private, gone with their run, and told from those of other machines by their lock alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hdh_assets.core.home import Home
from resources.lake import remove_dead_spill, spill_folder


def test_a_spill_folder_is_private_and_goes_with_its_run(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with spill_folder(home, "release") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(home.tmp.iterdir()) == []


def test_a_spill_folder_at_work_stays_whatever_process_numbers_say_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another container or machine has the home too, and counts its processes from one."""
    home = Home(tmp_path)
    monkeypatch.setattr(os, "getpid", lambda: 999_999_999)
    with spill_folder(home, "release") as mine:
        remove_dead_spill(home)
        assert mine.is_dir()


def test_what_killed_runs_spilled_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """A lock that nobody holds, or none: an earlier version of the hub named its folders after processes."""
    home = Home(tmp_path)
    for name in ("release-0af1", "standardise-1-0af1", "descriptors"):
        (home.tmp / name / "x").mkdir(parents=True)
    (home.tmp / "release-0af1.lock").touch()
    remove_dead_spill(home)
    assert [path.name for path in home.tmp.iterdir()] == ["descriptors"]
