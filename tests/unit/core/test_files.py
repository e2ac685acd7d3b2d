"""Small files: whole or not at all, on the disk before they have their name, and nothing left beside them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hdh_assets.core.files import replacing, unfinished, write_atomically


def test_what_fails_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    path = write_atomically(tmp_path / "mark", b"former")
    with pytest.raises(InterruptedError), replacing(path) as file:
        file.write(b"half")
        assert unfinished(path) == [Path(file.name)]
        assert unfinished(tmp_path / "mar") == []
        raise InterruptedError
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("mark", b"former")]


def test_the_bytes_are_on_the_disk_before_they_have_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_atomically(tmp_path / "mark", b"former")
    seen = []
    monkeypatch.setattr(
        os, "fsync", lambda number: seen.append((Path(f"/proc/self/fd/{number}").read_bytes(), path.read_bytes()))
    )
    write_atomically(path, b"new")
    assert (seen, path.read_bytes()) == ([(b"new", b"former")], b"new")
    write_atomically(path, b"again", is_durable=False)
    assert (len(seen), path.read_bytes()) == (1, b"again")


@pytest.mark.parametrize(("mask", "mode", "wanted"), [(0, 0o600, 0o600), (0o077, 0o444, 0o444), (0o027, None, 0o640)])
def test_a_file_has_the_mode_it_is_given_or_the_umask_leaves(
    tmp_path: Path, mask: int, mode: int | None, wanted: int
) -> None:
    before = os.umask(mask)
    try:
        path = write_atomically(tmp_path / "mark", b"x", mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == wanted
