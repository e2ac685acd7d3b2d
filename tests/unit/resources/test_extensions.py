"""The engine's extensions: signed, and checked before a process trusts them."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from hdh_assets.core.home import Settings
from resources import lake


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of each extension in use, in a process that has not loaded any."""
    installed = {name: lake._extension_path(name) for name in lake.needed_extensions(Settings(), will_spill=False)}
    copies = {name: Path(shutil.copy(path, tmp_path)) for name, path in installed.items()}
    monkeypatch.setattr(lake, "_extension_path", copies.__getitem__)
    monkeypatch.setattr(lake, "_proved", {})
    return copies["ducklake"]


def _spoil(extension: Path) -> None:
    content = bytearray(extension.read_bytes())
    content[len(content) // 2] ^= 1
    other = extension.with_suffix(".other")  # the process may be running the code of the file itself
    other.write_bytes(content)
    other.replace(extension)


def test_an_altered_extension_is_not_loaded(copied: Path) -> None:
    _spoil(copied)
    with pytest.raises(duckdb.Error, match="signature"):
        lake.connect_engine(Settings())


def test_one_altered_after_it_was_loaded_is_checked_again(copied: Path) -> None:
    for _ in range(2):
        lake.connect_engine(Settings()).close()
    _spoil(copied)
    with pytest.raises(duckdb.Error, match="signature"):
        lake.connect_engine(Settings())
