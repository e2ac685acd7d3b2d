"""The engine's extensions: signed, and checked before a process trusts them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from hdh_assets.cli.sql import read
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from resources import extensions
from resources.lake import connect_engine, open_lake

_CHECKS = """
import sys
from pathlib import Path
from resources import extensions
extensions.load_extensions = lambda engine, paths: print(*paths)
extensions.check_signatures([Path(sys.argv[1])])
"""


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of each extension in use, in a process that has not loaded any."""
    installed = extensions.needed_extensions(Settings(), will_spill=False)
    copies = {path.stem: Path(shutil.copy(path, tmp_path)) for path in installed}
    monkeypatch.setattr(extensions, "_extension_path", copies.__getitem__)
    monkeypatch.delenv(extensions.PROVED, raising=False)
    return copies["ducklake"]


def _spoil(extension: Path) -> None:
    content = bytearray(extension.read_bytes())
    content[len(content) // 2] ^= 1
    other = extension.with_suffix(".other")  # the process may be running the code of the file itself
    other.write_bytes(content)
    other.replace(extension)


def _checked_by_another(extension: Path) -> list[str]:
    """Files whose signature a process started by this one checks before it loads `extension`."""
    command = [sys.executable, "-c", _CHECKS, str(extension)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_an_altered_extension_is_not_loaded(copied: Path) -> None:
    _spoil(copied)
    with pytest.raises(duckdb.Error, match="signature"):
        connect_engine(Settings())


def test_one_altered_after_it_was_loaded_is_checked_again(copied: Path) -> None:
    for _ in range(2):
        connect_engine(Settings()).close()
    _spoil(copied)
    with pytest.raises(duckdb.Error, match="signature"):
        connect_engine(Settings())


def test_a_process_that_is_started_checks_only_what_the_first_did_not(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_engine(Settings()).close()
    assert _checked_by_another(copied) == []
    monkeypatch.delenv(extensions.PROVED)
    assert _checked_by_another(copied) == [str(copied)]


def test_nobody_who_queries_the_lake_loads_an_extension(home: Home, settings: Settings, copied: Path) -> None:
    with open_lake(home, settings).writer():
        pass
    with pytest.raises(RefusedError):
        read(open_lake(home, settings), f"LOAD '{copied}'")
