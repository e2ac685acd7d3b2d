"""What a YAML file may not do to who reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdh_assets.core.errors import HubError
from hdh_assets.core.yaml_file import YamlFile


def test_merges_of_merges_are_refused_before_they_multiply(tmp_path: Path) -> None:
    lines = ["k0: &k0 {x: 1}"]
    lines += [f"k{level}: &k{level} {{<<: [{', '.join([f'*k{level - 1}'] * 10)}]}}" for level in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(HubError, match=r"bomb\.yaml:\d+: yaml: merges \(<<\) of more than"):
        YamlFile.read(path, HubError).mapping()


def test_what_people_share_is_merged(tmp_path: Path) -> None:
    path = tmp_path / "shared.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", "utf-8")
    assert YamlFile.read(path, HubError).mapping()["b"] == {"x": 1, "y": 3}
