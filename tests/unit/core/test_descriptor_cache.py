"""Kept descriptors spare parsing and change nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import DescriptorError
from hdh_assets.core.home import Home

FIFTH = Path(__file__).parents[2] / "e2e" / "fifth.yaml"


@pytest.fixture
def described(tmp_path: Path) -> Home:
    found = Home(tmp_path / "hub")
    for folder in (found.datasets, found.tmp):
        folder.mkdir(parents=True)
    shutil.copy(FIFTH, found.datasets / "scale_readings.yaml")
    return found


def test_a_second_reading_gives_the_same_datasets(described: Home) -> None:
    first = load_datasets(described)
    kept = list((described.tmp / "descriptors").glob("*.json"))
    assert len(kept) == len(first)
    assert load_datasets(described) == first == load_datasets() | {"scale_readings": first["scale_readings"]}


def test_a_changed_file_is_read_anew_and_the_old_one_forgotten(described: Home) -> None:
    load_datasets(described)
    path = described.datasets / "scale_readings.yaml"
    path.write_text(path.read_text("utf-8").replace("Connected scales", "Scales"), "utf-8")
    assert load_datasets(described)["scale_readings"].title.en == "Scales"
    assert len(list((described.tmp / "descriptors").glob("*.json"))) == len(load_datasets(described))


def test_a_wrong_file_is_told_with_its_line_each_time(described: Home) -> None:
    path = described.datasets / "scale_readings.yaml"
    path.write_text(path.read_text("utf-8").replace("cadence: monthly", "cadence: sometimes"), "utf-8")
    for _ in range(2):
        with pytest.raises(DescriptorError, match=r"scale_readings\.yaml:\d+: cadence"):
            load_datasets(described)


def test_damaged_kept_files_are_passed_over(described: Home) -> None:
    first = load_datasets(described)
    for path in (described.tmp / "descriptors").glob("*.json"):
        path.write_text("{", "utf-8")
    assert load_datasets(described) == first


def test_a_folder_that_is_no_hub_is_left_alone(tmp_path: Path) -> None:
    load_datasets(Home(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()
