"""What a YAML file may not do to who reads it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from hdh_assets.core.descriptor_files import read_datasets
from hdh_assets.core.errors import HubError, stop_behind
from hdh_assets.core.yaml_file import YamlFile
from hdh_assets.governance.dossier import read_dossier

ALIAS_BOMB = "\n".join(
    ['a: &a ["x", "x", "x", "x", "x", "x", "x", "x", "x"]']
    + [f"{n}: &{n} [{', '.join([f'*{before}'] * 9)}]" for before, n in itertools.pairwise("abcdefghij")]
)


def test_merges_of_merges_are_refused_before_they_multiply(tmp_path: Path) -> None:
    lines = ["k0: &k0 {x: 1}"]
    lines += [f"k{level}: &k{level} {{<<: [{', '.join([f'*k{level - 1}'] * 10)}]}}" for level in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(HubError, match=r"bomb\.yaml:\d+: yaml: aliases \(\*\) of more than"):
        YamlFile.read(path, HubError).mapping()


@pytest.mark.parametrize("read", [read_dossier, lambda path: read_datasets([path])], ids=["dossier", "descriptor"])
def test_aliases_of_aliases_are_refused_before_they_multiply(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "bomb.yaml"
    path.write_text(ALIAS_BOMB, "utf-8")
    with pytest.raises(HubError, match=r"bomb\.yaml:6: yaml: aliases \(\*\) of more than"):
        read(path)


@pytest.mark.parametrize("text", ["a: &a [1, *a]", "a: &a {b: {c: *a}}"])
def test_what_stands_within_itself_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "endless.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(HubError, match=r"endless\.yaml:1: yaml: aliases"):
        YamlFile.read(path, HubError).mapping()


def test_an_error_of_many_values_is_not_written_out_to_look_for_a_stop() -> None:
    class UnwritableError(ValueError):
        def __str__(self) -> str:
            raise AssertionError("it was written out")

    told = HubError("wrong")
    told.__context__ = UnwritableError()
    assert stop_behind(told) is None
    assert stop_behind(RuntimeError("executing the UDF: KeyboardInterrupt")) is not None


@pytest.mark.parametrize("said", ["!!binary aGk=", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]"])
def test_what_json_has_not_is_told_with_its_line(tmp_path: Path, said: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(f"a: 1\nb: {said}\n", "utf-8")
    with pytest.raises(HubError, match=r"odd\.yaml:2: yaml: !!\w+ is nothing that these files say"):
        YamlFile.read(path, HubError).mapping()


def test_what_people_share_is_merged(tmp_path: Path) -> None:
    path = tmp_path / "shared.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", "utf-8")
    assert YamlFile.read(path, HubError).mapping()["b"] == {"x": 1, "y": 3}
