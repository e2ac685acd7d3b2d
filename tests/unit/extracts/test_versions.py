"""What is delivered is looked at: every name finds its version or is refused, and no link stands for a file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.verify import verify_delivered
from hdh_assets.extracts.versions import find_version, verify_version


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One version, of one file, which the event log knows nothing of."""
    found = Home(tmp_path / "hub")
    folder = found.projects / "pilot" / "v1"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("words", "utf-8")
    readme = {"name": "README.md", "sha256": hashlib.sha256(b"words").hexdigest()}
    manifest = {
        "basis": {"permit": 1, "release": 1},
        "files": [readme],
        "release": {"number": 1},
        "provenance": {},
        "deliveries": {},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return found


@pytest.mark.parametrize("name", ["pilot", "pilot/", "pilot/v1", "pilot/v1/"])
def test_a_name_may_end_as_a_shell_completes_it(home: Home, name: str) -> None:
    found = verify_delivered(home, Settings(), name)
    assert [version for version, problems in found.items() if problems] == ["pilot/v1"]
    assert find_version(home, name).name == "pilot/v1"


@pytest.mark.parametrize("name", ["", "/", "pilo", "pilot/v2", "pilot/1"])
def test_a_name_that_chooses_nothing_is_refused(home: Home, name: str) -> None:
    with pytest.raises(RefusedError, match="there is no extract"):
        verify_delivered(home, Settings(), name)


def test_a_link_to_the_same_bytes_is_not_the_file_that_was_delivered(home: Home, tmp_path: Path) -> None:
    version = find_version(home, "pilot")
    assert verify_version(version) == []
    (version.folder / "README.md").rename(tmp_path / "README.md")
    (version.folder / "README.md").symlink_to(tmp_path / "README.md")
    assert verify_version(version) == ["README.md is a link, not a file"]
