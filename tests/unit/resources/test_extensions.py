"""The engine's extensions: signed, and checked before a process trusts them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hdh_assets.cli.sql import read
from hdh_assets.core.errors import ConfigurationError, RefusedError
from hdh_assets.core.home import Home, Settings
from resources import extensions
from resources.lake import connect_engine, open_lake

REFUSED = r"ducklake is not what DuckDB [\d.]+ takes: .*\.duckdb_extension is damaged"
_CHECKS = """
import sys
from pathlib import Path
from resources import extensions
extensions.load_extensions = lambda engine, paths: print(*paths)
extensions.check_signatures([Path(sys.argv[1])])
"""


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of each extension in use, which nobody has checked."""
    installed = extensions.needed_extensions(Settings(), will_spill=False)
    copies = {path.stem: Path(shutil.copy(path, tmp_path)) for path in installed}
    monkeypatch.setattr(extensions, "_extension_path", copies.__getitem__)
    return copies["ducklake"]


def _spoil(extension: Path) -> None:
    content = bytearray(extension.read_bytes())
    content[len(content) // 2] ^= 1
    _replace(extension, bytes(content))


def _replace(extension: Path, content: bytes) -> None:
    other = extension.with_suffix(".other")  # the process may be running the code of the file itself
    other.write_bytes(content)
    other.replace(extension)


def _checked_by_another(extension: Path) -> list[str]:
    """Files whose signature another process checks before it loads `extension`."""
    command = [sys.executable, "-c", _CHECKS, str(extension)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_an_altered_extension_is_not_loaded(copied: Path) -> None:
    _spoil(copied)
    with pytest.raises(ConfigurationError, match=REFUSED):
        connect_engine(Settings())


@pytest.mark.parametrize("kept", [0, 1 << 20, -10], ids=["empty", "a part", "all but the end"])
def test_a_copy_that_was_interrupted_is_named_with_what_to_do(copied: Path, kept: int) -> None:
    _replace(copied, copied.read_bytes()[:kept])
    with pytest.raises(ConfigurationError, match=REFUSED) as raised:
        connect_engine(Settings())
    assert "--force-reinstall --no-deps duckdb-extension-ducklake==" in str(raised.value.remedy)


def test_one_whose_footer_was_altered_is_named_too(copied: Path) -> None:
    content = bytearray(copied.read_bytes())
    content[-300:-290] = b"\xff" * 10
    _replace(copied, bytes(content))
    with pytest.raises(ConfigurationError, match=REFUSED):
        connect_engine(Settings())


def test_one_altered_after_it_was_loaded_is_checked_again(copied: Path) -> None:
    for _ in range(2):
        connect_engine(Settings()).close()
    _spoil(copied)
    with pytest.raises(ConfigurationError, match=REFUSED):
        connect_engine(Settings())


def test_another_process_checks_only_what_changed(copied: Path) -> None:
    connect_engine(Settings()).close()
    assert _checked_by_another(copied) == []
    os.utime(copied, (0, 0))
    assert _checked_by_another(copied) == [str(copied)]


def test_where_nothing_can_be_kept_each_process_checks_once(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in copied.parent.iterdir():
        path.with_name(f"{path.name}.proved").mkdir()
    checked: list[Path] = []
    check = extensions._load_signed
    monkeypatch.setattr(extensions, "_load_signed", lambda engine, path: (checked.append(path), check(engine, path)))
    for _ in range(3):
        connect_engine(Settings()).close()
    assert sorted(checked) == sorted(path for path in copied.parent.iterdir() if path.is_file())
    assert _checked_by_another(copied) == [str(copied)]


def test_a_deep_check_reads_them_anew(copied: Path) -> None:
    connect_engine(Settings()).close()
    status = copied.stat()
    _spoil(copied)
    os.utime(copied, ns=(status.st_atime_ns, status.st_mtime_ns))  # a disk that forgets changes no time
    extensions.check_signatures([copied])
    with pytest.raises(ConfigurationError, match=REFUSED):
        extensions.check_signatures([copied], anew=True)


def test_nobody_who_queries_the_lake_loads_an_extension(home: Home, settings: Settings, copied: Path) -> None:
    with open_lake(home, settings).writer():
        pass
    with pytest.raises(RefusedError):
        read(open_lake(home, settings), f"LOAD '{copied}'")
